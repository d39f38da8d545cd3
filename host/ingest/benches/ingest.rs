//! How fast rows become a dataset, and how much memory that takes: 1,000,000 rows of 50 columns, and 10,000 small images.
//!
//! `cargo bench -p thimble-ingest [-- ROWS IMAGES]` writes the data into a temporary directory, ingests it, and prints rows per
//! second and the peak of the process's memory (VmHWM of /proc/self/status), which must stay below 512 MiB.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use image::GrayImage;
use thimble_ingest::{Input, Options, Silent, Task, ingest};

const MEMORY_MIB: u64 = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let (rows, images) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(10_000));
    table(rows)?;
    pictures(images)?;
    let peak = peak_mib()?;
    println!("peak memory {peak} MiB of {MEMORY_MIB} MiB");
    if peak > MEMORY_MIB { Err("too much memory".into()) } else { Ok(()) }
}

/// A CSV file of 49 numbers with a label.
fn table(rows: u32) -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    let path = data.path().join("data.csv");
    let mut writer = BufWriter::new(File::create(&path)?);
    let names: Vec<String> = (0..49).map(|column| format!("c{column}")).collect();
    writeln!(writer, "{},label", names.join(","))?;
    let mut state = 1_u64;
    for _ in 0..rows {
        for _ in 0..49 {
            // Knuth's MMIX generator.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            write!(writer, "{}.{:04},", state >> 60, (state >> 40) % 10_000)?;
        }
        writeln!(writer, "class{}", (state >> 50) % 7)?;
    }
    writer.flush()?;
    let bytes = std::fs::metadata(&path)?.len();
    let input = Input::file(Dir::open_ambient_dir(data.path(), ambient_authority())?, "data.csv");
    measure("table", rows, bytes, &input, &Options::new(Task::TabularClassification, "bench"))
}

/// PNG files of 32 × 32 grey pixels with a list.
fn pictures(images: u32) -> Result<(), Box<dyn Error>> {
    let data = tempfile::tempdir()?;
    std::fs::create_dir(data.path().join("images"))?;
    let mut list = BufWriter::new(File::create(data.path().join("labels.csv"))?);
    writeln!(list, "filename,label")?;
    let mut bytes = 0;
    for index in 0..images {
        let pixel = |x, y| image::Luma([(index.wrapping_mul(2_654_435_761) >> ((x ^ y) % 24)) as u8]);
        let path = data.path().join(format!("images/{index}.png"));
        GrayImage::from_fn(32, 32, pixel).save(&path)?;
        bytes += std::fs::metadata(&path)?.len();
        writeln!(list, "{index}.png,{}", index % 10)?;
    }
    list.flush()?;
    let input = Input::directory(Dir::open_ambient_dir(data.path(), ambient_authority())?);
    measure("images", images, bytes, &input, &Options::new(Task::ImageClassification, "bench"))
}

fn measure(name: &str, rows: u32, bytes: u64, input: &Input, options: &Options) -> Result<(), Box<dyn Error>> {
    let out = tempfile::tempdir()?;
    let dir = Dir::open_ambient_dir(out.path(), ambient_authority())?;
    let start = Instant::now();
    let outcome = ingest(input, options, Some(&dir), &mut Silent)?;
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(outcome.rows.iter().sum::<u64>(), u64::from(rows), "every row is in a split");
    let mib = bytes as f64 / f64::from(1 << 20);
    println!(
        "{name:<7} {rows} rows, {mib:.0} MiB in {seconds:.2} s: {:.0} rows/s, {:.0} MiB/s; peak so far {} MiB",
        f64::from(rows) / seconds,
        mib / seconds,
        peak_mib()?
    );
    Ok(())
}

fn peak_mib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib / 1024)
}
