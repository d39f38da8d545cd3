//! Migrations are embedded in the crate: a new file is a reason to build it again.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
