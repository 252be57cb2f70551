//! Values on their way out, and messages of the wire.

use pg_assess_core::summary::Summary;
use pgrx::{Internal, PgMemoryContexts, pg_sys};

/// A summary as it goes out. pgrx hands a value of its type `Internal` on as it is, whatever the
/// type in SQL.
pub fn summary_datum<S: Summary>(summary: &S) -> Internal {
    // SAFETY: the memory is as large as the summary, and lives as long as results do.
    unsafe {
        let place = PgMemoryContexts::CurrentMemoryContext
            .palloc(S::SIZE)
            .cast::<u8>();
        summary.store(std::slice::from_raw_parts_mut(place, S::SIZE));
        Internal::from(Some(pg_sys::Datum::from(place)))
    }
}

/// A one-dimensional array without NULL, as Postgres lays it out (array.h) behind the length that
/// every varlena begins with. An array out of a `Vec` of pgrx calls Postgres for each element.
pub fn array<E: AsRef<[u8]>>(
    kind: pg_sys::Oid,
    elements: impl ExactSizeIterator<Item = E>,
) -> Vec<u8> {
    let (dimensions, nulls_at, first) = (1, 0, 1);
    let length = elements.len() as u32;
    let head = [dimensions, nulls_at, kind.to_u32(), length, first];
    let mut bytes: Vec<u8> = head.into_iter().flat_map(u32::to_ne_bytes).collect();
    bytes.reserve(8 * elements.len());
    for element in elements {
        bytes.extend_from_slice(element.as_ref());
    }
    bytes
}

/// A text as an element of an array: its length, in the form of a header, and up to the next word.
pub fn text_element(text: &str) -> Vec<u8> {
    let length = 4 + text.len();
    let shift = if cfg!(target_endian = "little") { 2 } else { 0 };
    let mut bytes = ((length as u32) << shift).to_ne_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(length.next_multiple_of(4), 0);
    bytes
}

/// The bytes of a wire message.
pub fn wire_bytes(message: &mut Internal) -> &[u8] {
    // SAFETY: a receive function is called with a StringInfo; it may not be called from SQL,
    // which has no values of type internal. The cursor shows Postgres what was read.
    unsafe {
        match message.get_mut::<pg_sys::StringInfoData>() {
            Some(buffer) if !buffer.data.is_null() && buffer.cursor <= buffer.len => {
                let start = buffer.data.cast::<u8>().offset(buffer.cursor as isize);
                let length = (buffer.len - buffer.cursor) as usize;
                buffer.cursor = buffer.len;
                std::slice::from_raw_parts(start, length)
            }
            _ => &[],
        }
    }
}
