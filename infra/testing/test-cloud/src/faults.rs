//! Faults: the ways in which a call to AWS fails or does less than it was asked, and which calls they are
//! injected into.

use std::collections::VecDeque;

use axum::http::StatusCode;

use crate::call::Call;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// `ThrottlingException`: nothing is done; the SDK may try again.
    Throttle,
    /// 500: nothing is done; the SDK may try again.
    ServerError,
    /// 502 and a page of HTML, of whoever stands between: nothing is done; the SDK may try again.
    ProxyPage,
    /// `AccessDeniedException`: nothing is done, and trying again does not help.
    AccessDenied,
    /// `ValidationException`: nothing is done, and the same call will always be refused.
    Invalid,
    /// Nothing is done and no answer comes.
    Hang,
    /// It is done, but no answer comes.
    DoneWithoutAnswer,
    /// It is done, but the connection breaks off.
    DoneAndCut,
    /// A batch is answered for its first so many keys; the others come back as `UnprocessedKeys`, as when an
    /// answer would be over 16 MB, or a partition is throttled. Other calls are done as if nothing were.
    LeavesOut(usize),
}

impl Fault {
    /// Returns status and error type of the answer, for a fault that answers in place of AWS.
    pub(crate) fn refusal(self) -> Option<(StatusCode, &'static str)> {
        match self {
            Self::Throttle => Some((StatusCode::BAD_REQUEST, "ThrottlingException")),
            Self::ServerError => Some((StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")),
            Self::AccessDenied => Some((StatusCode::BAD_REQUEST, "AccessDeniedException")),
            Self::Invalid => Some((StatusCode::BAD_REQUEST, "ValidationException")),
            Self::ProxyPage
            | Self::Hang
            | Self::DoneWithoutAnswer
            | Self::DoneAndCut
            | Self::LeavesOut(_) => None,
        }
    }
}

/// The faults that are to be injected.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queued: Vec<QueuedFaults>,
    random: Option<RandomFaults>,
}

/// Faults for the next calls of one operation on one table.
#[derive(Debug)]
struct QueuedFaults {
    operation: String,
    table: String,
    left: VecDeque<Fault>,
}

/// Faults for a share of all calls.
#[derive(Debug)]
struct RandomFaults {
    per_mille: u32,
    state: u64,
    faults: Vec<Fault>,
}

impl Faults {
    pub(crate) fn queue(&mut self, operation: &str, table: &str, times: usize, fault: Fault) {
        self.queued.push(QueuedFaults {
            operation: operation.to_owned(),
            table: table.to_owned(),
            left: std::iter::repeat_n(fault, times).collect(),
        });
    }

    pub(crate) fn set_random(&mut self, per_mille: u32, seed: u64, faults: Vec<Fault>) {
        self.random = Some(RandomFaults { per_mille, state: seed, faults });
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the fault that this call gets: one that is queued for it, else a random one.
    pub(crate) fn take(&mut self, call: &Call) -> Option<Fault> {
        let queued = self.queued.iter_mut().find(|queued| {
            queued.operation == call.operation && queued.table == call.table && !queued.left.is_empty()
        });
        match queued {
            Some(queued) => queued.left.pop_front(),
            None => self.random.as_mut()?.next(),
        }
    }
}

impl RandomFaults {
    /// Draws for one call, by `SplitMix64`: a fixed, even pattern.
    fn next(&mut self) -> Option<Fault> {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let is_hit = mixed % 1_000 < u64::from(self.per_mille);
        let index = usize::try_from(mixed >> 32).unwrap_or(0).checked_rem(self.faults.len())?;
        is_hit.then(|| self.faults[index])
    }
}
