//! The processes of a large run, side by side: several of `receive`, one of `process` for each of two
//! streams, and one for a sweep each minute.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use crate::history::ObjectHistory;
use futures::future::join_all;
use shared::ledger::LedgerRow;
use test_cloud::KillPoint;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Statistics;
use crate::environment::Environment;
use crate::workers::Invocation;

/// Processes of `receive`.
const RECEIVERS: usize = 8;
/// Streams of the ledger's table, each with its own batches.
const STREAMS: usize = 2;
/// Lambda's `BatchSize` and `MaximumRetryAttempts` for the stream (template.yaml).
const BATCH: usize = 100;
const RETRIES: u32 = 2;
/// Time between two deliveries.
const INTERVAL: Duration = Duration::from_millis(60);

pub(super) struct WorkerPool<'a> {
    environment: &'a Environment,
    events: Vec<(&'a str, &'a str)>,
    arriving: RefCell<VecDeque<usize>>,
    acknowledged: RefCell<HashSet<usize>>,
    streamed: RefCell<HashSet<usize>>,
    minute: Cell<i64>,
    random_state: Cell<u64>,
    statistics: RefCell<Statistics>,
}

impl<'a> WorkerPool<'a> {
    pub(super) fn new(environment: &'a Environment, histories: &'a [ObjectHistory], seed: u64) -> Self {
        let events = histories.iter().flat_map(|history| &history.events);
        let events: Vec<_> = events.map(|event| (event.id.as_str(), event.body.as_str())).collect();
        let pool = Self {
            environment,
            arriving: RefCell::default(),
            acknowledged: RefCell::default(),
            streamed: RefCell::default(),
            minute: Cell::new(0),
            random_state: Cell::new(seed),
            statistics: RefCell::default(),
            events,
        };
        let all = 0..pool.events.len();
        // A fifth is delivered twice.
        let mut order: Vec<usize> = all.clone().chain(all.filter(|_| pool.one_in(5))).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, pool.random_below(i + 1));
        }
        *pool.arriving.borrow_mut() = order.into();
        pool
    }

    pub(super) fn statistics(&self) -> Statistics {
        self.statistics.take()
    }

    /// Runs until all events are delivered and all batches of the streams are processed.
    pub(super) async fn run(&self) {
        let (senders, streams): (Vec<_>, Vec<_>) = (0..STREAMS).map(|_| unbounded_channel()).unzip();
        let (minutes, each_minute) = unbounded_channel();
        let receivers = async {
            join_all((0..RECEIVERS).map(|_| self.receive(&senders, &minutes))).await;
            // The others end when nothing more can come.
            drop((senders, minutes));
        };
        let processors = join_all(streams.into_iter().map(|stream| self.process(stream)));
        tokio::join!(receivers, processors, self.sweep_each(each_minute));
    }

    async fn receive(&self, streams: &[UnboundedSender<LedgerRow>], minutes: &UnboundedSender<()>) {
        let mut worker = self.environment.receive_worker();
        loop {
            let next = self.arriving.borrow_mut().pop_front();
            let Some(number) = next else { return };
            let (id, body) = self.events[number];
            self.environment.advance(INTERVAL);
            if self.minute.replace(self.environment.now().as_second() / 60)
                != self.environment.now().as_second() / 60
            {
                let _ = minutes.send(());
            }
            let answer = worker.deliver(body, self.kill(40, 3)).await;
            self.count(number, &answer);
            // The stream has what is stored, also when Stripe got no answer. One in ten stream records is
            // lost, one in twenty comes twice.
            let first = self.streamed.borrow_mut().insert(number);
            if let Some(row) = self.environment.row(id).await {
                if (first && !self.one_in(10)) || self.one_in(20) {
                    let _ = streams[number % STREAMS].send(row);
                }
            } else {
                self.streamed.borrow_mut().remove(&number);
            }
        }
    }

    fn count(&self, number: usize, answer: &Invocation<u16>) {
        let mut statistics = self.statistics.borrow_mut();
        statistics.deliveries += 1;
        statistics.repeats += usize::from(self.acknowledged.borrow().contains(&number));
        if matches!(answer, Invocation::Completed(200)) {
            self.acknowledged.borrow_mut().insert(number);
            return;
        }
        match answer {
            Invocation::Killed => statistics.kills += 1,
            Invocation::Completed(_) => statistics.refused += 1,
        }
        // Stripe sends it again.
        self.arriving.borrow_mut().push_back(number);
    }

    async fn process(&self, mut stream: UnboundedReceiver<LedgerRow>) {
        let mut worker = self.environment.process_worker();
        let mut rows = Vec::new();
        while stream.recv_many(&mut rows, BATCH).await > 0 {
            let mut batches = vec![(std::mem::take(&mut rows), 0)];
            // A batch that fails is tried again in halves, a few times, and then left to the sweep.
            while let Some((rows, tries)) = batches.pop() {
                self.statistics.borrow_mut().batches += 1;
                let invocation = worker.ring_doorbell(&rows, self.kill(6, 4 * rows.len())).await;
                self.statistics.borrow_mut().kills += usize::from(matches!(invocation, Invocation::Killed));
                if !matches!(invocation, Invocation::Completed(Ok(_))) && tries < RETRIES {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    batches.extend([second, first].map(|half| (half.to_vec(), tries + 1)));
                }
            }
        }
    }

    async fn sweep_each(&self, mut minutes: UnboundedReceiver<()>) {
        while minutes.recv().await.is_some() {
            self.sweep().await;
        }
    }

    /// Runs one sweep, in a process of its own.
    pub(super) async fn sweep(&self) {
        self.statistics.borrow_mut().sweeps += 1;
        let invocation = self.environment.process_worker().sweep(self.kill(4, 60)).await;
        self.statistics.borrow_mut().kills += usize::from(matches!(invocation, Invocation::Killed));
    }

    /// Returns where to kill an invocation, at one of its first calls; most are not killed.
    fn kill(&self, one_in: usize, calls: usize) -> Option<KillPoint> {
        let call = 1 + self.random_below(calls);
        let after = self.one_in(2);
        self.one_in(one_in).then_some(if after {
            KillPoint::AfterCall(call)
        } else {
            KillPoint::BeforeCall(call)
        })
    }

    fn one_in(&self, many: usize) -> bool {
        self.random_below(many) == 0
    }

    /// Returns a number below `many`, by `SplitMix64`.
    fn random_below(&self, many: usize) -> usize {
        let state = self.random_state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random_state.set(state);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % many.max(1)
    }
}
