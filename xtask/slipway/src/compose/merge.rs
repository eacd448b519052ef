//! Lays one file or service over another, as compose does: mappings merge, lists grow, the
//! later scalar wins; `!reset` takes a value away and `!override` replaces it.

use super::yaml::{Key, MergeTag, Node, Value};

pub(super) fn merge(base: Node, over: Node) -> Node {
    if over.tag == MergeTag::Override {
        return over;
    }
    let Node { place, tag, value } = over;
    let value = match (base.value, value) {
        (Value::Map(below), Value::Map(above)) => Value::Map(merge_maps(below, above)),
        (Value::List(mut below), Value::List(above)) => {
            for item in above {
                if !below.iter().any(|known| same_scalar(known, &item)) {
                    below.push(item);
                }
            }
            Value::List(below)
        }
        (below, Value::Null) => below,
        (_, above) => above,
    };
    Node { place, tag, value }
}

fn merge_maps(below: Vec<(Key, Node)>, above: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    let mut merged = below;
    for (key, node) in above {
        let known = merged.iter().position(|(known, _)| known.text == key.text);
        match (known, node.tag) {
            (Some(index), MergeTag::Reset) => drop(merged.remove(index)),
            (None, MergeTag::Reset) => {}
            (Some(index), _) => {
                let (_, base) = merged.remove(index);
                merged.insert(index, (key, merge(base, node)));
            }
            (None, _) => merged.push((key, node)),
        }
    }
    merged
}

fn same_scalar(one: &Node, other: &Node) -> bool {
    matches!((&one.value, &other.value), (Value::Scalar(one), Value::Scalar(other)) if one == other)
}
