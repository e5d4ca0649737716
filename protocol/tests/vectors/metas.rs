//! The metas of every kind, from arbitrary bytes: what decodes is written again as it was meant.

use proptest::prelude::*;
use serde_json::Value;
use tidewire_protocol::message::KINDS;

use super::messages_json::codec_of;

/// Bytes that look a little like fields: small lengths and counts, then anything.
fn meta() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => (0u8..4).prop_map(|low| vec![low, 0]),
        2 => (0u8..3).prop_map(|low| vec![low, 0, 0, 0]),
        2 => prop::collection::vec(any::<u8>(), 0..9),
        1 => Just(b"name".to_vec()),
        1 => Just(vec![0; 8]),
    ];
    prop::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

proptest! {
    /// SPEC W-10, W-12, W-13: every kind, in both directions.
    #[test]
    fn what_decodes_survives_a_round_trip(meta in meta()) {
        for row in KINDS {
            for response in [false, true] {
                let Some(codec) = codec_of(row.kind, response) else { continue };
                if let Ok(value) = (codec.decode)(&meta) {
                    let again: Value = (codec.decode)(&(codec.encode)(&value)).expect("ours");
                    prop_assert_eq!(again, value, "{}", row.name);
                }
            }
        }
    }

    /// SPEC W-13: a meta that was cut anywhere in its fields does not decode to something else.
    #[test]
    fn a_cut_meta_is_malformed_or_ends_in_padding(meta in meta(), cut in any::<prop::sample::Index>()) {
        for row in KINDS {
            for response in [false, true] {
                let Some(codec) = codec_of(row.kind, response) else { continue };
                let Ok(value) = (codec.decode)(&meta) else { continue };
                let fields = (codec.encode)(&value);
                if fields.is_empty() {
                    continue;
                }
                let cut = &fields[..cut.index(fields.len())];
                if let Ok(other) = (codec.decode)(cut) {
                    // Only a whole optional field may be missing from its end.
                    prop_assert!(fields.starts_with(&(codec.encode)(&other)), "{}", row.name);
                }
            }
        }
    }
}
