//! The catalog's promises, each on a directory of its own.

use std::path::Path;

use super::store::{DEFAULT_STREAM, FILE};
use super::*;
use crate::data_dir::DataDir;
use crate::disk::RealDisk;
use tidewire_protocol::limits;

const SEGMENT: u64 = 256 << 20;

fn settings(partitions: u32, segment_bytes: u64, codec: Codec) -> TopicSettings {
    TopicSettings { partitions, segment_bytes, codec, ..TopicSettings::default() }
}

fn open(path: &Path) -> (DataDir, CatalogStore) {
    let dir = DataDir::open(path).unwrap();
    let store = CatalogStore::open(&dir, 5).unwrap();
    (dir, store)
}

#[test]
fn the_first_start_creates_the_default_stream_once() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, mut store) = open(temp.path());
    let catalog = store.snapshot();
    let stream = catalog.stream(DEFAULT_STREAM).unwrap();
    assert_eq!((stream.id, stream.created_us), (1, 5));
    store.delete_stream(DEFAULT_STREAM).unwrap();
    drop((store, _dir));
    let (_dir, store) = open(temp.path());
    assert!(store.snapshot().streams.is_empty(), "a deleted stream does not come back");
}

#[test]
fn the_catalog_survives_a_restart() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, mut store) = open(temp.path());
    store.create_stream("shop", 7).unwrap();
    store.create_topic("shop", "orders", settings(4, SEGMENT, Codec::Zstd), 8).unwrap();
    store.create_topic("default", "orders", settings(1, 1 << 20, Codec::None), 9).unwrap();
    let before = store.snapshot();
    drop((store, dir));
    let (_dir, store) = open(temp.path());
    assert_eq!(store.snapshot(), before);
    let topic = before.topic("shop", "orders").unwrap();
    assert_eq!((topic.partitions, topic.segment_bytes, topic.created_us), (4, SEGMENT, 8));
    assert_eq!(topic.codec, Codec::Zstd);
    assert_eq!(before.topics().count(), 2);
}

#[test]
fn a_snapshot_does_not_change() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, mut store) = open(temp.path());
    let before = store.snapshot();
    store.create_topic("default", "orders", settings(4, SEGMENT, Codec::None), 8).unwrap();
    assert!(before.topic("default", "orders").is_none());
    assert!(store.snapshot().topic("default", "orders").is_some());
}

#[test]
fn an_id_is_never_used_twice() {
    let temp = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (_dir, mut store) = open(temp.path());
        for _ in 0..3 {
            ids.push(
                store
                    .create_topic("default", "t", settings(1, SEGMENT, Codec::None), 0)
                    .unwrap()
                    .id,
            );
            store.delete_topic("default", "t").unwrap();
        }
    }
    assert_eq!(ids, (1..=9).collect::<Vec<u64>>());
}

#[test]
fn the_leader_epoch_counts_starts() {
    let temp = tempfile::tempdir().unwrap();
    for epoch in 1..5 {
        assert_eq!(open(temp.path()).1.leader_epoch(), epoch);
    }
}

#[test]
fn the_server_id_stays_with_the_directory() {
    let temp = tempfile::tempdir().unwrap();
    for offered in [77, 78, 79] {
        assert_eq!(open(temp.path()).1.server_id(offered).unwrap(), 77);
    }
}

#[test]
fn producer_ids_start_at_1_and_are_never_given_twice() {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(open(temp.path()).1.reserve_producer_ids(10).unwrap(), 1..11);
    let (_dir, mut store) = open(temp.path());
    assert_eq!(store.reserve_producer_ids(1).unwrap(), 11..12);
    assert_eq!(store.reserve_producer_ids(5).unwrap(), 12..17);
    assert!(store.reserve_producer_ids(u64::MAX).is_err(), "there are not that many");
    assert_eq!(store.reserve_producer_ids(1).unwrap(), 17..18);
}

#[test]
fn what_exists_and_what_does_not_are_told_apart() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, mut store) = open(temp.path());
    store.create_topic("default", "t", settings(1, SEGMENT, Codec::None), 0).unwrap();
    let before = store.snapshot();
    let kinds = [
        store.create_stream("default", 0).unwrap_err().kind(),
        store.delete_stream("shop").unwrap_err().kind(),
        store
            .create_topic("shop", "t", settings(1, SEGMENT, Codec::None), 0)
            .unwrap_err()
            .kind(),
        store
            .create_topic("default", "t", settings(1, SEGMENT, Codec::None), 0)
            .unwrap_err()
            .kind(),
        store.delete_topic("shop", "t").unwrap_err().kind(),
        store.delete_topic("default", "u").unwrap_err().kind(),
    ];
    use CatalogErrorKind::*;
    assert_eq!(
        kinds,
        [
            StreamExists,
            StreamNotFound,
            StreamNotFound,
            TopicExists,
            StreamNotFound,
            TopicNotFound
        ]
    );
    assert_eq!(store.snapshot(), before);
}

#[test]
fn a_deleted_stream_gives_its_topics_back_and_leaves_none() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, mut store) = open(temp.path());
    store.create_stream("shop", 0).unwrap();
    for name in ["a", "b"] {
        store.create_topic("shop", name, settings(1, SEGMENT, Codec::None), 0).unwrap();
    }
    let topics = store.delete_stream("shop").unwrap();
    assert_eq!(topics.iter().map(|topic| topic.id).collect::<Vec<_>>(), [1, 2]);
    drop((store, dir));
    assert_eq!(open(temp.path()).1.snapshot().topics().count(), 0);
}

#[test]
fn a_damaged_catalog_is_refused_by_name() {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(temp.path()).unwrap();
    std::fs::write(temp.path().join(FILE), "this is no catalog at all".repeat(400)).unwrap();
    let error = CatalogStore::open(&dir, 0).unwrap_err();
    assert!(error.to_string().contains(FILE), "{error}");
}

#[test]
fn only_directories_of_unknown_topics_are_removed() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, mut store) = open(temp.path());
    assert!(
        remove_orphans(&RealDisk, &dir.topic_dirs(), &store.snapshot()).unwrap().is_empty()
    );
    let kept =
        store.create_topic("default", "kept", settings(1, SEGMENT, Codec::None), 0).unwrap();
    let gone =
        store.create_topic("default", "gone", settings(1, SEGMENT, Codec::None), 0).unwrap();
    for path in [
        dir.partition_dir(kept.id, 0),
        dir.partition_dir(gone.id, 0),
        dir.topics_dir().join("notes"),
    ] {
        std::fs::create_dir_all(path).unwrap();
    }
    store.delete_topic("default", "gone").unwrap();
    assert_eq!(
        remove_orphans(&RealDisk, &dir.topic_dirs(), &store.snapshot()).unwrap(),
        [gone.id]
    );
    assert!(dir.partition_dir(kept.id, 0).exists());
    assert!(dir.topics_dir().join("notes").exists());
    assert!(!dir.topic_dir(gone.id).exists());
}

#[test]
fn a_change_of_a_topic_survives_and_leaves_the_rest() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, mut store) = open(temp.path());
    let made = store.create_topic("default", "t", settings(2, SEGMENT, Codec::Lz4), 8).unwrap();
    let change = TopicChange { retention_ms: Some(5), ..TopicChange::default() };
    let changed = store.update_topic("default", "t", change).unwrap();
    assert_eq!(*changed, Topic { retention_ms: 5, ..Topic::clone(&made) });
    let change = TopicChange {
        partitions: Some(3),
        retention_ms: Some(0),
        retention_bytes: Some(7),
        dedup_window_ms: Some(9),
        ..TopicChange::default()
    };
    store.update_topic("default", "t", change).unwrap();
    let before = store.snapshot();
    drop((store, dir));
    let (_dir, mut store) = open(temp.path());
    assert_eq!(store.snapshot(), before);
    let expected =
        Topic { partitions: 3, retention_bytes: 7, dedup_window_ms: 9, ..Topic::clone(&made) };
    assert_eq!(**before.topic("default", "t").unwrap(), expected);

    let fewer = TopicChange { partitions: Some(2), ..TopicChange::default() };
    let kinds = [
        store.update_topic("default", "t", fewer).unwrap_err().kind(),
        store.update_topic("default", "u", change).unwrap_err().kind(),
        store.update_topic("shop", "t", change).unwrap_err().kind(),
    ];
    use CatalogErrorKind::*;
    assert_eq!(kinds, [FewerPartitions, TopicNotFound, StreamNotFound]);
    assert_eq!(store.snapshot(), before);
}

/// SPEC I-12
#[test]
fn a_named_producer_keeps_its_id_and_each_opening_raises_its_epoch() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, mut store) = open(temp.path());
    let first = store.open_producer(1, "a", None, 7).unwrap();
    assert_eq!((first.epoch, first.opened_us), (1, 7));
    assert!(first.id >= FIRST_NAMED_PRODUCER_ID);
    let others = [store.open_producer(1, "b", None, 8), store.open_producer(2, "a", None, 8)];
    assert!(others.iter().all(|other| other.as_ref().unwrap().id != first.id));
    drop((store, dir));
    let (_dir, mut store) = open(temp.path());
    assert_eq!(store.producer(1, "a").unwrap(), Some(first.clone()));
    let again = store.open_producer(1, "a", None, 9).unwrap();
    assert_eq!((again.id, again.epoch, again.opened_us), (first.id, 2, 9));
    assert_eq!(store.producer(1, "c").unwrap(), None);
}

/// SPEC I-12: however often an opening arrives.
#[test]
fn who_opened_a_producer_last_has_it_already() {
    let temp = tempfile::tempdir().unwrap();
    let (dir, mut store) = open(temp.path());
    let first = store.open_producer(1, "a", Some(70), 7).unwrap();
    assert_eq!(store.open_producer(1, "a", Some(70), 8).unwrap(), first);
    drop((store, dir));
    let (_dir, mut store) = open(temp.path());
    assert_eq!(
        store.open_producer(1, "a", Some(70), 9).unwrap(),
        first,
        "after a restart, too"
    );
    for (opener, epoch) in [(Some(71), 2), (Some(71), 2), (None, 3), (None, 4), (Some(70), 5)] {
        assert_eq!(store.open_producer(1, "a", opener, 10).unwrap().epoch, epoch, "{opener:?}");
    }
}

/// SPEC I-12: a name that was forgotten begins anew.
#[test]
fn named_producers_are_listed_and_forgotten() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, mut store) = open(temp.path());
    for (topic, name) in [(1, "b"), (1, "a"), (1, "c"), (2, "a")] {
        store.open_producer(topic, name, None, 1).unwrap();
    }
    let names = |store: &CatalogStore, after, limit| -> Vec<String> {
        store.producers(1, after, limit).unwrap().into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&store, "", 9), ["a", "b", "c"]);
    assert_eq!(names(&store, "", 2), ["a", "b"]);
    assert_eq!(names(&store, "a", 9), ["b", "c"]);
    let gone = store.delete_producer(1, "a").unwrap().expect("it was there");
    assert_eq!(store.delete_producer(1, "a").unwrap(), None);
    assert_eq!(names(&store, "", 9), ["b", "c"]);
    assert_eq!(store.producers(2, "", 9).unwrap().len(), 1, "of another topic");
    let anew = store.open_producer(1, "a", None, 2).unwrap();
    assert_eq!(anew.epoch, 1);
    assert_ne!(anew.id, gone.id);
}

/// SPEC I-12: names go with their topic, and their number is bounded.
#[test]
fn names_of_producers_are_bounded_and_go_with_their_topic() {
    let temp = tempfile::tempdir().unwrap();
    let (_dir, mut store) = open(temp.path());
    let topic =
        store.create_topic("default", "orders", settings(1, SEGMENT, Codec::None), 8).unwrap();
    producers::fill(&store, topic.id, limits::MAX_NAMED_PRODUCERS);
    let error = store.open_producer(topic.id, "one more", None, 1).unwrap_err();
    assert_eq!(error.kind(), CatalogErrorKind::TooManyProducers);
    assert!(error.to_string().contains("10000") && error.to_string().contains("one more"));
    store.open_producer(topic.id, "0", None, 1).expect("a name that is there");
    let other = store.open_producer(topic.id + 1, "0", None, 1).expect("another topic");
    store.delete_topic("default", "orders").unwrap();
    assert_eq!(store.producer(topic.id, "0").unwrap(), None);
    assert_eq!(store.producer(topic.id + 1, "0").unwrap(), Some(other));
    assert_eq!(store.open_producer(topic.id, "one more", None, 1).unwrap().epoch, 1);
}
