//! Files that are made to hurt: they are refused with the limit, before anything is allocated for them.

use std::io::Write as _;

use thimble_ingest::{Options, Task, limits};

use crate::TestResult;
use crate::directory::{Directory, grey, npy};

fn errors(name: &str, contents: &[u8], task: Task) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    Directory::of(name, contents)?.errors(&Options::new(task, "case"))
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() -> TestResult {
    let mut contents = b"a,label\n1,x\n\"".to_vec();
    contents.resize(40 << 20, b'y');
    assert_eq!(
        errors("data.csv", &contents, Task::TabularClassification)?,
        ["data.csv, line 3: a row of more than 16777216 bytes; look for a quote that is not closed"]
    );
    contents.splice(..13, *b"\"aaaaaaaaaaaa");
    assert_eq!(
        errors("data.csv", &contents, Task::TabularClassification)?,
        ["data.csv: a row of more than 16777216 bytes; look for a quote that is not closed"]
    );
    Ok(())
}

#[test]
fn too_many_columns_are_refused() -> TestResult {
    let names: Vec<String> = (0..=limits::COLUMNS).map(|column| format!("c{column}")).collect();
    assert_eq!(
        errors("data.csv", names.join(",").as_bytes(), Task::TabularClassification)?,
        ["data.csv, line 1: 16385 columns, at most 16384 are allowed; --drop some"]
    );
    Ok(())
}

/// A PNG whose header says another size.
fn bomb(height: u32, width: u32) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut bytes = grey(6, 8, 0)?;
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2_crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].swap_with_slice(&mut crc);
    Ok(bytes)
}

/// CRC-32 as in the PNG specification, annex D.
fn flate2_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn an_image_that_says_it_is_huge_is_refused_before_it_is_decoded() -> TestResult {
    let directory = Directory::new()?;
    directory.write("a/1.png", bomb(60_000, 60_000)?)?;
    directory.write("a/2.png", bomb(16_000, 16_000)?)?;
    directory.write("b/3.png", grey(6, 8, 0)?)?;
    assert_eq!(
        directory.errors(&Options::new(Task::ImageClassification, "case"))?,
        [
            "a/1.png: 60000×60000 pixels, at most 16384 along a side and 134217728 bytes decoded are allowed; scale it down",
            "a/2.png: 16000×16000 pixels, at most 16384 along a side and 134217728 bytes decoded are allowed; scale it down",
        ]
    );
    let directory = Directory::new()?;
    directory.write("images/1.png", grey(6, 8, 0)?)?;
    directory.write("masks/1_mask.png", bomb(60_000, 60_000)?)?;
    let errors = directory.errors(&Options::new(Task::SemanticSegmentation, "case"))?;
    assert!(errors[0].starts_with("masks/1_mask.png: 60000×60000 pixels"), "{errors:?}");
    Ok(())
}

#[test]
fn deep_and_long_annotations_are_refused() -> TestResult {
    let directory = Directory::new()?;
    directory.write("images/1.png", grey(6, 8, 0)?)?;
    directory.write("images/2.png", grey(6, 8, 1)?)?;
    directory.write("annotations/1.xml", "<a>".repeat(100_000))?;
    directory.write("annotations/2.xml", " ".repeat((1 << 20) + 1))?;
    assert_eq!(
        directory.errors(&Options::new(Task::ObjectDetection, "case"))?,
        [
            "annotations/1.xml, line 1: elements lie more than 16 deep; this is no Pascal VOC annotation",
            "annotations/2.xml: 1048577 bytes, at most 1048576 are allowed; make it smaller",
        ]
    );
    Ok(())
}

#[test]
fn arrays_that_promise_more_than_they_hold_are_refused() -> TestResult {
    let short = errors("x.npy", &npy("<f8", "1000000, 50", &[0; 80]), Task::TabularClassification)?;
    assert!(
        short[0].starts_with("x.npy: the array `x` is not readable: its shape [1000000, 50] needs more"),
        "{short:?}"
    );
    let absurd = errors("x.npy", &npy("<f8", "99999999999999999999, 2", &[]), Task::TabularClassification)?;
    assert_eq!(absurd, ["x.npy: the array `x` is not readable: its shape is not readable"]);
    let mut header = b"\x93NUMPY\x02\x00".to_vec();
    header.extend(u32::MAX.to_le_bytes());
    let long = errors("x.npy", &header, Task::TabularClassification)?;
    assert_eq!(
        long,
        ["x.npy: the array `x` is not readable: its header has 4294967295 bytes, at most 65536 are allowed"]
    );
    let directory = Directory::new()?;
    directory.write("x.npy", npy("|u1", "3,", &[1, 2, 3]))?;
    directory.write("label.npy", npy("|u1", "2,", &[0, 1]))?;
    assert_eq!(
        directory.errors(&Options::new(Task::TabularClassification, "case"))?,
        [".: the array `x` has 3 rows, `label` has 2; cut them to the same length"]
    );
    Ok(())
}

#[test]
fn an_archive_that_grows_out_of_nothing_is_refused() -> TestResult {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("x.npy", zip::write::SimpleFileOptions::default())?;
    archive.write_all(&npy("|u1", "80000000, 1", &[]))?;
    (0..80).try_for_each(|_| archive.write_all(&[0; 1_000_000]))?;
    let contents = archive.finish()?.into_inner();
    let errors = errors("data.npz", &contents, Task::TabularClassification)?;
    assert!(errors[0].contains("the array `x` has 80000") && errors[0].contains("at most 200 times"), "{errors:?}");
    Ok(())
}

#[test]
fn a_parquet_file_that_lies_about_itself_is_refused() -> TestResult {
    let task = Task::TabularClassification;
    assert_eq!(
        errors("data.parquet", b"PAR1", task)?,
        ["data.parquet: the Parquet file is not readable: 4 bytes are too short"]
    );
    assert_eq!(
        errors("data.parquet", b"PAR1\xff\xff\xff\x7fPAR1", task)?,
        [
            "data.parquet: the Parquet file is not readable: its footer has 2147483647 bytes, at most 16777216 are allowed"
        ]
    );
    let broken = errors("data.parquet", b"PAR1junkjunk\x08\0\0\0PAR1", task)?;
    assert!(broken[0].starts_with("data.parquet: the Parquet file is not readable: "), "{broken:?}");
    Ok(())
}
