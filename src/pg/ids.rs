//! Ids of any type, as they are read for every row.

use pg_assess_core::gradebook::Id;
use pgrx::fcinfo::pg_getarg_datum;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::varlena::{varatt_is_1b_e, varatt_is_4b_c, varlena_to_byte_slice};
use pgrx::{PgSqlErrorCode, pg_sys};

/// How the ids of one argument are read.
#[derive(Clone, Copy)]
pub enum IdSource {
    Int2,
    Int4,
    Int8,
    Uuid,
    Text,
    /// `char(n)`, whose padding does not count.
    Padded,
    /// A date as ISO 8601 has it, whatever the `DateStyle` of the session.
    Date,
    /// Any other type through its output function.
    Output(pg_sys::Oid),
}

impl IdSource {
    /// For an argument of the call, of that name; domains are what they stand for.
    ///
    /// # Errors
    /// Where the type does not say which of its values are equal, as `json` does not: the same
    /// object can be written in many ways.
    ///
    /// # Safety
    /// `fcinfo` is that of the call at hand, and it has an argument `at`.
    pub unsafe fn of_argument(
        fcinfo: pg_sys::FunctionCallInfo,
        at: i32,
        name: &str,
    ) -> Result<Self, Box<ErrorReport>> {
        // SAFETY: as promised by the caller; both functions only look up.
        let declared = unsafe { pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, at) };
        // SAFETY: as above.
        Ok(match unsafe { pg_sys::getBaseType(declared) } {
            pg_sys::INT2OID => IdSource::Int2,
            pg_sys::INT4OID => IdSource::Int4,
            pg_sys::INT8OID => IdSource::Int8,
            pg_sys::UUIDOID => IdSource::Uuid,
            pg_sys::TEXTOID | pg_sys::VARCHAROID => IdSource::Text,
            pg_sys::BPCHAROID => IdSource::Padded,
            pg_sys::DATEOID => IdSource::Date,
            other if !has_equality(other) => return Err(Box::new(refused(name, other))),
            other => {
                let (mut output, mut is_varlena) = (pg_sys::InvalidOid, false);
                // SAFETY: both results are written before they are read.
                unsafe { pg_sys::getTypeOutputInfo(other, &mut output, &mut is_varlena) };
                IdSource::Output(output)
            }
        })
    }

    /// The id in argument `at`; none when it is NULL. Text lives as long as the call.
    ///
    /// # Safety
    /// The source was made for this argument of this call site.
    #[inline(always)]
    pub unsafe fn read<'a>(
        self,
        fcinfo: pg_sys::FunctionCallInfo,
        at: usize,
    ) -> Result<Option<Id<'a>>, Box<ErrorReport>> {
        // SAFETY: the datum has the type the source was made for; values it points to live in
        // the memory of the call.
        unsafe {
            let Some(datum) = pg_getarg_datum(fcinfo, at) else {
                return Ok(None);
            };
            Ok(Some(match self {
                IdSource::Int2 => Id::Integer(i64::from(datum.value() as i16)),
                IdSource::Int4 => Id::Integer(i64::from(datum.value() as i32)),
                IdSource::Int8 => Id::Integer(datum.value() as i64),
                IdSource::Uuid => Id::Uuid(u128::from_be_bytes(*datum.cast_mut_ptr::<[u8; 16]>())),
                IdSource::Text => Id::Text(utf8(text_bytes(datum))?),
                IdSource::Padded => Id::Text(utf8(text_bytes(datum))?.trim_end_matches(' ')),
                IdSource::Date => {
                    let (buffer, zone) = (std::ptr::null_mut(), std::ptr::null());
                    let text = pg_sys::JsonEncodeDateTime(buffer, datum, pg_sys::DATEOID, zone);
                    Id::Text(utf8(std::ffi::CStr::from_ptr(text).to_bytes())?)
                }
                IdSource::Output(function) => {
                    let text = pg_sys::OidOutputFunctionCall(function, datum);
                    Id::Text(utf8(std::ffi::CStr::from_ptr(text).to_bytes())?)
                }
            }))
        }
    }
}

/// Whether a type has an equality by which Postgres itself would group its values.
fn has_equality(kind: pg_sys::Oid) -> bool {
    // A literal that nothing has given a type yet is text.
    if kind == pg_sys::UNKNOWNOID {
        return true;
    }
    // SAFETY: looks a type up; the entry is never freed.
    unsafe {
        let entry = pg_sys::lookup_type_cache(kind, pg_sys::TYPECACHE_EQ_OPR as i32);
        (*entry).eq_opr != pg_sys::InvalidOid
    }
}

fn refused(name: &str, kind: pg_sys::Oid) -> ErrorReport {
    // SAFETY: writes the name of a type into the memory of the call.
    let kind = unsafe { std::ffi::CStr::from_ptr(pg_sys::format_type_be(kind)) }.to_string_lossy();
    let code = PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH;
    ErrorReport::new(code, format!("{name} cannot be of type {kind}"), "")
        .set_detail(format!(
            "Type {kind} has no equality: nothing says which of its values are one {name}."
        ))
        .set_hint(match &*kind {
            "json" => "Cast it to jsonb, which writes the same object in one way.".to_owned(),
            _ => format!(
                "Cast it to a type that has, such as text where one {name} is always written alike."
            ),
        })
}

/// The bytes of a text datum.
///
/// # Safety
/// `datum` is a valid varlena that outlives `'a`, as do values detoasted in this call.
unsafe fn text_bytes<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: as promised by the caller.
    unsafe {
        let mut text: *mut pg_sys::varlena = datum.cast_mut_ptr();
        // A call into Postgres is dear; most ids need none.
        if varatt_is_1b_e(text) || varatt_is_4b_c(text) {
            text = pg_sys::pg_detoast_datum_packed(text);
        }
        varlena_to_byte_slice(text)
    }
}

// Boxed, as it is asked for every row and the report is large.
fn utf8(bytes: &[u8]) -> Result<&str, Box<ErrorReport>> {
    std::str::from_utf8(bytes).map_err(|_| {
        let code = PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
        let report = ErrorReport::new(code, "an id is not valid UTF-8", "")
            .set_detail("Ids are kept as text, which could not be read back.")
            .set_hint("pg_assess reads text ids in databases with encoding UTF8.");
        Box::new(report)
    })
}
