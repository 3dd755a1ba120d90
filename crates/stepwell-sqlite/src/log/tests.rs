//! The log alone, on a simulated disk: torn tails, damage, recycling.

use std::sync::Arc;

use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::batch::{Batch, Workflow};

use super::frame::HEADER;
use super::{Log, Prepared, Settings, body, recover};
use crate::sim::{Loss, SimDisk};

const SETTINGS: Settings = Settings { store: 99, segment_bytes: 4_096, reserve_bytes: 0 };

/// A batch that is told by its instant, with some bytes in it.
fn batch(number: i64, bytes: usize) -> Batch {
    let text = |len| "x".repeat(len).into();
    let at = Timestamp::from_millis(number);
    let workflow = Workflow {
        namespace: text(1),
        app: text(1),
        name: text(1),
        options: text(bytes),
        first_at: at,
        changed_at: at,
    };
    Batch { at, workflows: vec![workflow], ..Batch::default() }
}

fn new_log(disk: &SimDisk) -> Log<SimDisk> {
    recover::create(disk, &SETTINGS, 0).unwrap();
    open(disk, 0).unwrap().0
}

/// Opens a log; returns it and the numbers of the batches behind `folded`.
fn open(disk: &SimDisk, folded: u64) -> Result<(Log<SimDisk>, Vec<i64>), Error> {
    let recovered = recover::open(&Arc::new(disk.clone()), SETTINGS, folded)?;
    let numbers =
        recovered.tail.iter().map(|(_, bytes)| body::decode(bytes).unwrap().at.as_millis());
    Ok((recovered.log, numbers.collect()))
}

fn append(log: &mut Log<SimDisk>, number: i64, bytes: usize) -> u64 {
    log.append(Prepared::batch(&batch(number, bytes)).unwrap().0).unwrap().0
}

/// Damages a copy of the disk and opens it.
fn damaged(
    disk: &SimDisk,
    name: &str,
    change: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<i64>, Error> {
    let disk = disk.copy();
    disk.damage(name, change);
    open(&disk, 0).map(|(_, numbers)| numbers)
}

#[test]
fn batches_come_back_in_order_over_many_openings() {
    let disk = SimDisk::new(1 << 20);
    drop(new_log(&disk));
    for number in 0..10 {
        let (mut log, found) = open(&disk, 0).unwrap();
        assert_eq!(found, (0..number).collect::<Vec<_>>());
        append(&mut log, number, 40);
        drop(log);
        disk.restart(Loss::All);
    }
}

/// Cuts the last batch at each of its bytes, with zeros or with noise behind the cut.
#[test]
fn a_tail_torn_at_any_byte_is_cut_and_the_log_goes_on() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    append(&mut log, 0, 10);
    let start = usize::try_from(log.active.end).unwrap();
    append(&mut log, 1, 100);
    let end = usize::try_from(log.active.end).unwrap();
    // The last byte may be padding, which is of no batch.
    let last = (start + HEADER + body::len(&batch(1, 100))).min(end);
    for cut in start..last {
        for noise in [0x00_u8, 0xa5] {
            let disk = disk.copy();
            disk.damage("log-000001", |bytes| {
                for byte in &mut bytes[cut..end] {
                    // Each byte differs from what was written there.
                    *byte = if *byte == noise { !noise } else { noise };
                }
            });
            let (mut log, found) = open(&disk, 0).unwrap();
            assert_eq!(found, [0], "cut at {cut}");
            append(&mut log, 2, 5);
            drop(log);
            disk.restart(Loss::All);
            assert_eq!(open(&disk, 0).unwrap().1, [0, 2], "cut at {cut}");
        }
    }
}

/// Flips a bit in every byte that holds something durable.
#[test]
fn a_flipped_bit_before_the_last_batch_fails_closed() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    for number in 0..5 {
        append(&mut log, number, 37);
    }
    let durable =
        usize::try_from(log.active.end).unwrap() - super::frame::space(body::len(&batch(4, 37)));
    let body_len = body::len(&batch(0, 37));
    for at in 0..durable {
        let outcome = damaged(&disk, "log-000001", |bytes| bytes[at] ^= 1 << (at % 8));
        // Behind the header of the segment and the frame of the epoch: frames with padding.
        let in_frame = at.checked_sub(2 * HEADER).map(|at| at % super::frame::space(body_len));
        if in_frame.is_some_and(|at| at >= HEADER + body_len) {
            assert_eq!(outcome.unwrap(), [0, 1, 2, 3, 4], "padding at byte {at}");
        } else {
            assert!(matches!(outcome, Err(Error::Corrupt(_))), "byte {at}: {outcome:?}");
        }
    }
}

#[test]
fn a_whole_sector_of_durable_bytes_gone_fails_closed() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    for number in 0..9 {
        append(&mut log, number, 300);
    }
    for sector in 0..6 {
        let outcome = damaged(&disk, "log-000001", |bytes| {
            bytes[sector * 512..(sector + 1) * 512].fill(0);
        });
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "sector {sector}: {outcome:?}");
    }
}

#[test]
fn damage_in_what_the_tables_hold_is_no_loss() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    let positions: Vec<u64> = (0..6).map(|number| append(&mut log, number, 100)).collect();
    let middle = usize::try_from(log.active.end).unwrap() / 3;
    disk.damage("log-000001", |bytes| bytes[middle..middle + 8].fill(0xff));
    assert!(matches!(open(&disk.copy(), 0), Err(Error::Corrupt(_))));
    let (_, found) = open(&disk, positions[3]).unwrap();
    assert_eq!(found, [4, 5]);
}

/// Frames of a segment's former life stand behind its new ones, whole and valid in themselves.
#[test]
fn stale_frames_of_a_recycled_segment_are_never_taken() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    let mut number = 0;
    let mut next = |log: &mut Log<SimDisk>| {
        number += 1;
        (number, append(log, number, 200))
    };
    // Everything is folded at once, so two segments go round and round.
    for _ in 0..200 {
        let (_, position) = next(&mut log);
        assert_eq!(log.trim(position - 1), [0_u32; 0]);
        assert!(log.disk_bytes() <= 3 * 4_096);
        let disk = disk.copy();
        disk.restart(Loss::All);
        let (_, found) = open(&disk, position - 1).unwrap();
        assert_eq!(found.len(), 1, "position {position}");
    }
    assert!(log.active.sequence > 10);
}

#[test]
fn a_missing_segment_fails_closed() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    for number in 0..40 {
        append(&mut log, number, 300);
    }
    let names = ["log-000001", "log-000002", "log-000003"];
    for name in names {
        let disk = disk.copy();
        crate::disk::Disk::remove(&disk, name).unwrap();
        let outcome = open(&disk, 0).map(|(_, found)| found);
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "{name}: {outcome:?}");
    }
}

/// The header of the newest segment goes bad: its frames tell that they were durable.
#[test]
fn a_damaged_segment_header_fails_closed() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    for number in 0..40 {
        append(&mut log, number, 300);
    }
    let slots = 1 + log.sealed.len();
    for slot in 1..=slots {
        let name = format!("log-{slot:06}");
        let outcome = damaged(&disk, &name, |bytes| bytes[40] ^= 1);
        assert!(matches!(outcome, Err(Error::Corrupt(_))), "{name}: {outcome:?}");
    }
}

#[test]
fn a_segment_of_another_store_is_refused() {
    let disk = SimDisk::new(1 << 20);
    drop(new_log(&disk));
    let other = Settings { store: 98, ..SETTINGS };
    let outcome = recover::open(&Arc::new(disk), other, 0).map(|_| ());
    assert!(matches!(&outcome, Err(Error::Corrupt(why)) if why.contains("belongs to store")));
}

#[test]
fn a_batch_larger_than_a_segment_gets_one_of_its_own() {
    let disk = SimDisk::new(1 << 20);
    let mut log = new_log(&disk);
    append(&mut log, 0, 20);
    append(&mut log, 1, 50_000);
    let last = append(&mut log, 2, 20);
    assert_eq!(open(&disk.copy(), 0).unwrap().1, [0, 1, 2]);
    append(&mut log, 3, 30_000);
    let removed = log.trim(last);
    assert_eq!(removed.len(), 1, "a segment of another size is not used again");
}

/// A disk that is full refuses, and the log goes on when there is space again.
#[test]
fn a_full_disk_refuses_without_poison() {
    let disk = SimDisk::new(6_000);
    let mut log = new_log(&disk);
    let mut refused = None;
    for number in 0..40 {
        let frame = Prepared::batch(&batch(number, 300)).unwrap().0;
        if let Err(error) = log.append(frame) {
            refused = Some((number, error));
            break;
        }
    }
    let (number, error) = refused.unwrap();
    assert!(matches!(error, Error::DiskFull { .. }), "{error}");
    disk.set_capacity(1 << 20);
    append(&mut log, number, 300);
    assert_eq!(open(&disk.copy(), 0).unwrap().1, (0..=number).collect::<Vec<_>>());
}
