use super::*;
use proptest::prelude::*;

/// The probability that a request of M/M/c waits (Erlang's C formula); `offered` is rate × mean service.
fn erlang_c(servers: usize, offered: f64) -> f64 {
    // Erlang's B by its recursion, which does not overflow.
    let blocked = (1..=servers).fold(1.0, |b, n| offered * b / (n as f64 + offered * b));
    let busy = offered / servers as f64;
    blocked / (1.0 - busy * (1.0 - blocked))
}

fn mmc(threads: usize, busy: f64, queue: usize, seed: u64) -> Model {
    let service = 0.02;
    Model {
        nodes: 1,
        threads,
        devices: 0,
        queue,
        deadline: f64::INFINITY,
        balance: Balance::Least,
        loads: vec![Load { share: 1.0, thread: Service::Exponential(service), device: None, overhead: 0.0 }],
        arrivals: poisson(busy * threads as f64 / service, 400_000, seed),
        seed,
    }
}

#[test]
fn erlangs_formula_is_the_one_of_the_tables() {
    // One server: the share of time that it is busy. Two at a half: 1/3.
    assert!((erlang_c(1, 0.7) - 0.7).abs() < 1e-12);
    assert!((erlang_c(2, 1.0) - 1.0 / 3.0).abs() < 1e-12);
    assert!((erlang_c(10, 8.0) - 0.4092).abs() < 1e-4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// M/M/c: the share that waits, the mean wait, the busy share, and the p99 of one server, which has a formula, too.
    #[test]
    fn queues_are_as_erlang_has_them(threads in 1_usize..17, busy in 0.2_f64..0.85, seed in any::<u64>()) {
        let figures = simulate(&mmc(threads, busy, 1 << 30, seed));
        let waits = erlang_c(threads, busy * threads as f64);
        let mean_wait = waits * 0.02 / (threads as f64 * (1.0 - busy));
        prop_assert!((figures.threads_busy / busy - 1.0).abs() < 0.03, "busy {}", figures.threads_busy);
        prop_assert!((figures.waited - waits).abs() < 0.03, "{} of {waits}", figures.waited);
        // Long waits come in bunches: some tolerance, absolute where there is next to none.
        prop_assert!((figures.wait - mean_wait).abs() < 0.1 * mean_wait + 0.000_05, "{} of {mean_wait}", figures.wait);
        if threads == 1 {
            let p99 = 0.02 / (1.0 - busy) * 100_f64.ln();
            prop_assert!((figures.p99 / p99 - 1.0).abs() < 0.1, "{} of {p99}", figures.p99);
        }
        prop_assert!(figures.shed == 0.0);
    }

    /// M/M/c/c: without a queue the share that is refused is Erlang's B.
    #[test]
    fn without_a_queue_erlangs_b_is_refused(threads in 1_usize..9, busy in 0.3_f64..1.5, seed in any::<u64>()) {
        let figures = simulate(&mmc(threads, busy, 0, seed));
        let offered = busy * threads as f64;
        let blocked = (1..=threads).fold(1.0, |b, n| offered * b / (n as f64 + offered * b));
        prop_assert!((figures.shed - blocked).abs() < 0.02, "{} of {blocked}", figures.shed);
    }
}

#[test]
fn one_node_of_four_threads_is_four_of_one_but_for_the_waits() {
    let model = Model { nodes: 4, threads: 1, arrivals: poisson(160.0, 200_000, 3), ..mmc(1, 0.8, 1 << 30, 3) };
    let pooled = simulate(&Model { nodes: 1, threads: 4, ..model.clone() });
    let least = simulate(&model);
    let turns = simulate(&Model { balance: Balance::Turns, ..model.clone() });
    let random = simulate(&Model { balance: Balance::Random, ..model });
    let waits = [pooled.wait, least.wait, turns.wait, random.wait];
    assert!(waits.is_sorted(), "{waits:?}");
    // Split by chance, each is an M/M/1 of its own.
    assert!((random.wait / 0.08 - 1.0).abs() < 0.1, "{}", random.wait);
}

#[test]
fn a_device_is_shared_and_holds_the_thread() {
    let load = Load { share: 1.0, thread: Service::Fixed(0.01), device: Some(Service::Fixed(0.03)), overhead: 0.002 };
    let model =
        Model { threads: 8, devices: 1, loads: vec![load], arrivals: poisson(20.0, 50_000, 5), ..mmc(1, 0.5, 100, 5) };
    let figures = simulate(&model);
    assert!((figures.devices_busy - 0.6).abs() < 0.02, "{figures:?}");
    // M/D/1 at the device: half of what M/M/1 waits.
    assert!((figures.mean - (0.042 + 0.6 * 0.03 / (2.0 * 0.4))).abs() < 0.004, "{figures:?}");
    // Without one the whole is the thread's.
    let without = simulate(&Model { devices: 0, ..model });
    assert!(without.devices_busy == 0.0 && (without.mean - 0.042).abs() < 0.001, "{without:?}");
}

#[test]
fn too_much_is_shed_and_what_is_answered_is_bounded() {
    let model = Model { deadline: 30.0, ..mmc(2, 2.0, 64, 9) };
    let figures = simulate(&model);
    assert!((figures.shed - 0.5).abs() < 0.02 && figures.threads_busy > 0.97, "{figures:?}");
    assert!(figures.p50 < 64.0 * 0.02 / 2.0 + 0.1, "{figures:?}");
    let late = simulate(&Model { deadline: 0.05, ..model });
    assert!(late.p99 < 0.3 && late.shed > 0.45, "{late:?}");
    assert_eq!(simulate(&Model { arrivals: Vec::new(), ..mmc(1, 0.5, 1, 1) }).requests, 0);
}
