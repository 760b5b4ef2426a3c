//! The processes of a large run, side by side: some receive, each of two streams rings its doorbell, and a sweep comes each minute.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use futures::future::join_all;
use shared::ledger::LedgerRow;
use simulated_stripe::history::Life;
use test_cloud::Death;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Figures;
use crate::hands::Work;
use crate::world::World;

/// Processes that receive.
const RECEIVERS: usize = 8;
/// Streams of the ledger's table, each with its own batches.
const STREAMS: usize = 2;
/// Lambda's `BatchSize` and `MaximumRetryAttempts` for the stream (template.yaml).
const BATCH: usize = 100;
const RETRIES: u32 = 2;
/// Time between two deliveries.
const PACE: Duration = Duration::from_millis(60);

pub(super) struct Workers<'a> {
    world: &'a World,
    events: Vec<(&'a str, &'a str)>,
    arriving: RefCell<VecDeque<usize>>,
    acknowledged: RefCell<HashSet<usize>>,
    streamed: RefCell<HashSet<usize>>,
    minute: Cell<i64>,
    dice: Cell<u64>,
    figures: RefCell<Figures>,
}

impl<'a> Workers<'a> {
    pub(super) fn new(world: &'a World, lives: &'a [Life], seed: u64) -> Self {
        let told = lives.iter().flat_map(|life| &life.events);
        let events: Vec<_> = told.map(|told| (told.id.as_str(), told.body.as_str())).collect();
        let workers = Self {
            world,
            arriving: RefCell::default(),
            acknowledged: RefCell::default(),
            streamed: RefCell::default(),
            minute: Cell::new(0),
            dice: Cell::new(seed),
            figures: RefCell::default(),
            events,
        };
        let all = 0..workers.events.len();
        // A fifth comes again.
        let mut order: Vec<usize> = all.clone().chain(all.filter(|_| workers.one_in(5))).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, workers.drawn(i + 1));
        }
        *workers.arriving.borrow_mut() = order.into();
        workers
    }

    pub(super) fn figures(&self) -> Figures {
        self.figures.take()
    }

    /// Works until all events are delivered and every bell has rung.
    pub(super) async fn work(&self) {
        let (streams, bells): (Vec<_>, Vec<_>) = (0..STREAMS).map(|_| unbounded_channel()).unzip();
        let (minutes, each_minute) = unbounded_channel();
        let receivers = async {
            join_all((0..RECEIVERS).map(|_| self.receive(&streams, &minutes))).await;
            // The others end when nothing more can come.
            drop((streams, minutes));
        };
        let bells = join_all(bells.into_iter().map(|bell| self.ring(bell)));
        tokio::join!(receivers, bells, self.sweep_each(each_minute));
    }

    async fn receive(&self, streams: &[UnboundedSender<LedgerRow>], minutes: &UnboundedSender<()>) {
        let mut receiver = self.world.receiver();
        loop {
            let next = self.arriving.borrow_mut().pop_front();
            let Some(number) = next else { return };
            let (id, body) = self.events[number];
            self.world.pass(PACE);
            if self.minute.replace(self.world.now().as_second() / 60) != self.world.now().as_second() / 60 {
                let _ = minutes.send(());
            }
            let answer = receiver.deliver(body, self.death(40, 3)).await;
            self.note(number, &answer);
            // The stream sees what is stored, whatever Stripe was answered. One in ten rings is lost, one in twenty comes again.
            let first = self.streamed.borrow_mut().insert(number);
            if let Some(row) = self.world.row(id).await {
                if (first && !self.one_in(10)) || self.one_in(20) {
                    let _ = streams[number % STREAMS].send(row);
                }
            } else {
                self.streamed.borrow_mut().remove(&number);
            }
        }
    }

    fn note(&self, number: usize, answer: &Work<u16>) {
        let mut figures = self.figures.borrow_mut();
        figures.deliveries += 1;
        figures.repeats += usize::from(self.acknowledged.borrow().contains(&number));
        if matches!(answer, Work::Done(200)) {
            self.acknowledged.borrow_mut().insert(number);
            return;
        }
        match answer {
            Work::Died => figures.deaths += 1,
            Work::Done(_) => figures.refused += 1,
        }
        // Stripe sends it again.
        self.arriving.borrow_mut().push_back(number);
    }

    async fn ring(&self, mut bell: UnboundedReceiver<LedgerRow>) {
        let mut applier = self.world.applier();
        let mut rows = Vec::new();
        while bell.recv_many(&mut rows, BATCH).await > 0 {
            let mut batches = vec![(std::mem::take(&mut rows), 0)];
            // A batch that fails is tried again in halves, a few times, and then left to the sweep.
            while let Some((rows, tries)) = batches.pop() {
                self.figures.borrow_mut().batches += 1;
                let work = applier.ring(&rows, self.death(6, 4 * rows.len())).await;
                self.figures.borrow_mut().deaths += usize::from(matches!(work, Work::Died));
                if !matches!(work, Work::Done(Ok(_))) && tries < RETRIES {
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

    /// Sweeps once, in a process of its own.
    pub(super) async fn sweep(&self) {
        self.figures.borrow_mut().sweeps += 1;
        let work = self.world.applier().sweep(self.death(4, 60)).await;
        self.figures.borrow_mut().deaths += usize::from(matches!(work, Work::Died));
    }

    /// One invocation in so many dies, at one of its first calls.
    fn death(&self, one_in: usize, calls: usize) -> Option<Death> {
        let at = 1 + self.drawn(calls);
        let done = self.one_in(2);
        self.one_in(one_in).then_some(if done { Death::After(at) } else { Death::Before(at) })
    }

    fn one_in(&self, many: usize) -> bool {
        self.drawn(many) == 0
    }

    /// A number below `many`, by `SplitMix64`.
    fn drawn(&self, many: usize) -> usize {
        let state = self.dice.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.dice.set(state);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % many.max(1)
    }
}
