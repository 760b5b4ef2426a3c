//! Tables as CSV that a spreadsheet opens with the right amounts, and in which no text is run as a formula.
//! Pure.

pub(crate) use ::csv::Error as CsvError;
use ::csv::Writer;

/// Currencies whose amounts at Stripe have no decimals (Stripe's documentation, "Zero-decimal currencies";
/// ISK, HUF, TWD and UGX are counted in hundredths in the API).
const NO_DECIMALS: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
/// Currencies whose amounts have three.
const THREE_DECIMALS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// A cell of a table.
pub(crate) enum Cell<'a> {
    /// A text of anybody's.
    Text(String),
    /// A whole number.
    Integer(Option<i64>),
    /// An amount in the smallest unit of a currency, written with its decimals.
    Decimal(Option<i64>, &'a str),
}

/// A table being written.
pub(crate) struct Table {
    writer: Writer<Vec<u8>>,
    bytes: usize,
}

impl Table {
    /// A table with these columns and no rows.
    pub(crate) fn new(columns: &[&str]) -> Result<Self, CsvError> {
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record(columns)?;
        Ok(Self { writer, bytes: 0 })
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, cells: &[Cell<'_>]) -> Result<(), CsvError> {
        let texts: Vec<String> = cells.iter().map(Cell::written).collect();
        // With what separates them, and quotes inside quotes.
        self.bytes += texts.iter().map(|text| text.len() + 3 + text.matches('"').count()).sum::<usize>();
        self.writer.write_record(texts)
    }

    /// About how many bytes the rows have.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// The table's text.
    pub(crate) fn finish(self) -> Result<String, CsvError> {
        let bytes = self.writer.into_inner().map_err(|error| CsvError::from(error.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Cell<'_> {
    fn written(&self) -> String {
        match self {
            Self::Text(text) => defused(text),
            Self::Integer(number) => number.map(|number| number.to_string()).unwrap_or_default(),
            Self::Decimal(amount, currency) => {
                amount.map(|amount| decimal(amount, currency)).unwrap_or_default()
            }
        }
    }
}

/// A text that a spreadsheet does not run: one that begins like a formula gets an apostrophe before it
/// (OWASP, "CSV injection").
fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// An amount with its currency's decimals, such as `-12.05`.
fn decimal(amount: i64, currency: &str) -> String {
    let decimals = if NO_DECIMALS.contains(&currency) {
        return amount.to_string();
    } else if THREE_DECIMALS.contains(&currency) {
        3
    } else {
        2
    };
    let sign = if amount < 0 { "-" } else { "" };
    let unit = 10_u64.pow(decimals);
    let (whole, rest) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    format!("{sign}{whole}.{rest:0width$}", width = decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (amount, currency, text) in [
            (0, "usd", "0.00"),
            (5, "usd", "0.05"),
            (-5, "eur", "-0.05"),
            (-12_050, "eur", "-120.50"),
            (500, "jpy", "500"),
            (-1234, "kwd", "-1.234"),
            (7, "omr", "0.007"),
            (500, "isk", "5.00"),
            (100, "ugx", "1.00"),
            (i64::MIN, "usd", "-92233720368547758.08"),
            (i64::MAX, "bhd", "9223372036854775.807"),
        ] {
            assert_eq!(decimal(amount, currency), text);
        }
    }

    #[test]
    fn a_text_that_a_spreadsheet_would_run_is_only_text_and_a_negative_amount_a_number() {
        let mut table = Table::new(&["text", "amount"]).unwrap();
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "a,\"b\"\nc", "plain", ""] {
            table.push(&[Cell::Text(text.to_owned()), Cell::Decimal(Some(-5), "usd")]).unwrap();
        }
        let text = table.finish().unwrap();
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<(String, String)> = reader.deserialize().map(Result::unwrap).collect();
        let texts: Vec<&str> = rows.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "a,\"b\"\nc", "plain", ""]);
        assert!(rows.iter().all(|(_, amount)| amount == "-0.05"));
    }
}
