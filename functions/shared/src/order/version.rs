//! Rule 1, deletions, and rule 4 from the other side: which of two states is the later one, by the seconds
//! they stand for and by when the object was made.

use std::cmp::Ordering;

use serde_json::Value;

use crate::kind::Kind;
use crate::unix_time::UnixSeconds;

/// Where a snapshot stands against what the record shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// It takes the record's place.
    Newer,
    /// The record stays.
    Older,
    /// They are of one second: all events of it have to be looked at.
    SameSecond,
}

/// What a record shows, or would show of an event or an answer of Stripe's, as far as order is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordVersion {
    /// The second it stands for.
    pub as_of: UnixSeconds,
    /// Whether the object is deleted.
    pub deleted: bool,
    /// Whether it was fetched from Stripe. Then it stands for the whole of its second.
    pub fetched: bool,
    /// When the object was made, where its id can be used again; none where it cannot, or is not said.
    pub made: Option<UnixSeconds>,
}

/// When an object was made, where ids of its kind can be used again; none where it does not say.
pub fn made(kind: Option<Kind>, object: &Value) -> Option<UnixSeconds> {
    kind.filter(|kind| kind.ids_are_used_again())?;
    object["created"].as_i64().map(UnixSeconds::new)
}

impl RecordVersion {
    /// Whether the object is deleted, and was not made again in the same second.
    fn is_final(self) -> bool {
        self.deleted && (self.fetched || self.made != Some(self.as_of))
    }

    /// Compares which of two objects of one id was made later. Equal if they are one, for all that is known.
    fn cmp_made(self, other: Self) -> Ordering {
        match (self.made, other.made) {
            (Some(made), Some(other)) => made.cmp(&other),
            // What was deleted is one that was made by then.
            (Some(made), None) if other.deleted && made > other.as_of => Ordering::Greater,
            (None, Some(made)) if self.deleted && made > self.as_of => Ordering::Less,
            (Some(_) | None, None) | (None, Some(_)) => Ordering::Equal,
        }
    }
}

/// Rule 1, and deletions: compares an event's snapshot with what a record shows.
pub fn compare(event: RecordVersion, record: RecordVersion) -> Comparison {
    let order = event.cmp_made(record);
    let order = order.then(event.is_final().cmp(&record.is_final()));
    match order.then(event.as_of.cmp(&record.as_of)) {
        Ordering::Greater => Comparison::Newer,
        Ordering::Less => Comparison::Older,
        Ordering::Equal if record.fetched => Comparison::Older,
        Ordering::Equal => Comparison::SameSecond,
    }
}

/// Rule 4 from the other side: returns whether Stripe's answer, good for all that it stamped up to its
/// second, takes the place of what a record shows. An event of that very second is in the answer. Of two
/// answers good for one second nobody can tell the later one; if they differ, the change between them is of a
/// later second.
pub fn fetched_is_newer(answer: RecordVersion, record: RecordVersion) -> bool {
    match answer.cmp_made(record) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => match (answer.deleted, record.is_final()) {
            (_, true) => false,
            (true, false) => true,
            (false, false) if record.fetched => record.as_of < answer.as_of,
            (false, false) => record.as_of <= answer.as_of,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_second_wins_and_a_deletion_is_final() {
        let event = at(5);
        assert_eq!(compare(at(6), event), Comparison::Newer);
        assert_eq!(compare(at(4), event), Comparison::Older);
        assert_eq!(compare(at(5), event), Comparison::SameSecond);
        assert_eq!(compare(at(9), deleted(event)), Comparison::Older);
        assert_eq!(compare(deleted(at(4)), event), Comparison::Newer);
        let answer = RecordVersion { fetched: true, ..event };
        assert_eq!(compare(at(5), answer), Comparison::Older, "the whole second is in Stripe's answer");
        assert_eq!(compare(at(6), answer), Comparison::Newer);
        assert_eq!(compare(deleted(at(5)), answer), Comparison::Newer, "a deletion is final");
    }

    fn at(as_of: i64) -> RecordVersion {
        RecordVersion { as_of: UnixSeconds::new(as_of), deleted: false, fetched: false, made: None }
    }

    fn deleted(version: RecordVersion) -> RecordVersion {
        RecordVersion { deleted: true, ..version }
    }

    fn made(made: i64, version: RecordVersion) -> RecordVersion {
        RecordVersion { made: Some(UnixSeconds::new(made)), ..version }
    }

    #[test]
    fn what_is_made_again_under_its_old_id_goes_before_all_that_was_before_it() {
        // The lives of one id, each event with what it is of: made in 1, deleted in 5, made again in 5 and 7.
        let lives = [
            made(1, at(1)),
            made(1, at(4)),
            made(1, deleted(at(5))),
            made(5, at(5)),
            made(5, at(6)),
            made(5, deleted(at(6))),
            made(7, at(7)),
        ];
        for (i, later) in lives.iter().enumerate() {
            for earlier in &lives[..i] {
                let case = format!("{earlier:?} {later:?}");
                assert_eq!(compare(*later, *earlier), Comparison::Newer, "{case}");
                assert_eq!(compare(*earlier, *later), Comparison::Older, "{case}");
                let answer = RecordVersion { fetched: true, ..*later };
                assert!(fetched_is_newer(answer, *earlier), "{case}");
                let answer = RecordVersion { fetched: true, ..*earlier };
                assert!(!fetched_is_newer(answer, *later), "{case}");
            }
            assert_eq!(compare(*later, *later), Comparison::SameSecond);
        }
        // A deletion that does not say of what it is ended all that was made by then.
        let short = deleted(at(5));
        assert_eq!(compare(made(6, at(6)), short), Comparison::Newer);
        assert_eq!(compare(short, made(6, at(6))), Comparison::Older);
        assert_eq!(compare(made(1, at(9)), short), Comparison::Older);
        assert_eq!(compare(short, made(1, at(9))), Comparison::Newer);
    }

    #[test]
    fn a_deletion_in_the_second_of_the_creation_is_final_in_that_second_alone() {
        let gone = made(5, deleted(at(5)));
        assert_eq!(compare(gone, made(5, at(5))), Comparison::SameSecond);
        assert_eq!(compare(made(5, at(5)), gone), Comparison::SameSecond);
        assert_eq!(compare(made(5, at(6)), gone), Comparison::Newer, "it was made again");
        assert_eq!(compare(gone, made(5, at(6))), Comparison::Older);
        assert_eq!(compare(made(5, deleted(at(6))), gone), Comparison::Newer);
    }

    #[test]
    fn an_answer_gives_way_to_what_is_later_than_its_second_and_a_deletion_to_nothing() {
        let event = at(5);
        let answer = |version: RecordVersion| RecordVersion { fetched: true, ..version };
        assert!(fetched_is_newer(answer(at(5)), event) && fetched_is_newer(answer(at(6)), event));
        assert!(!fetched_is_newer(answer(at(4)), event));
        assert!(
            fetched_is_newer(answer(at(6)), answer(event)) && !fetched_is_newer(answer(at(5)), answer(event))
        );
        assert!(
            fetched_is_newer(answer(deleted(at(4))), event)
                && fetched_is_newer(answer(deleted(at(4))), answer(event)),
            "a deletion is final"
        );
        assert!(!fetched_is_newer(answer(at(9)), deleted(event)));
        // The two rules agree: what an answer replaces does not come back.
        for created in 4..7 {
            for as_of in 4..7 {
                let stays = compare(at(created), answer(at(as_of))) == Comparison::Older;
                assert_eq!(stays, fetched_is_newer(answer(at(as_of)), at(created)));
            }
        }
    }
}
