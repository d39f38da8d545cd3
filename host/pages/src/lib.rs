//! The pages people see: views in, HTML out.
