//! The native tests of the example that is written in C.

use std::path::Path;
use std::process::Command;

#[test]
fn the_matrix_functions_of_the_c_solution_pass_their_tests() -> anyhow::Result<()> {
    let solution = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/solutions/c-discriminant");
    let directory = tempfile::tempdir()?;
    let program = directory.path().join("matrix_test");
    let mut clang = Command::new("clang");
    clang.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]).arg("-I").arg(solution.join("src"));
    clang.args(["tests/matrix_test.c", "src/matrix.c"].map(|source| solution.join(source)));
    let built = clang.args(["-lm", "-o"]).arg(&program).status();
    let built =
        built.map_err(|error| anyhow::anyhow!("cannot start clang, which `cargo xtask setup` installs: {error}"))?;
    assert!(built.success(), "clang: {built}");
    let ran = Command::new(&program).output()?;
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Ok(())
}
