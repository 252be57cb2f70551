pgrx::pg_module_magic!();

mod school_map;
