//! Every fault has its own message, with file, row and remedy.

use std::os::unix::fs::symlink;

use thimble_ingest::{Channels, Options, Size, Task};

use crate::TestResult;
use crate::directory::{Directory, grey, mask, rgb};

fn options(task: Task) -> Options {
    Options::new(task, "case")
}

/// A table of ten rows, in which a row stands where the fault is.
fn table(header: &str, rows: &[&str]) -> String {
    format!("{header}\n{}\n", rows.join("\n"))
}

/// The errors of one CSV file.
fn faults(task: Task, contents: &[u8], set: impl Fn(&mut Options)) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut options = options(task);
    set(&mut options);
    Directory::of("data.csv", contents)?.errors(&options)
}

#[test]
fn every_fault_of_a_file_of_rows_is_named() -> TestResult {
    let cases: [(&[u8], &str); 14] = [
        (b"", "data.csv: the file is empty; it needs a header line and rows"),
        (b"a,label\n", "data.csv: there is a header but no row; add rows, or take the file away"),
        (b"\xff\xfea\0", "data.csv: the file is UTF-16; save it as UTF-8"),
        (
            b"a,label\n1,x\n2,caf\xe9\n",
            "data.csv, line 3: column `label` is not UTF-8; save the file as UTF-8 (it may be Latin-1)",
        ),
        (b"a,label,a\n1,x,2\n", "data.csv, line 1: column `a` stands twice in the header, at 1 and 3; rename one"),
        (
            b"a,,label\n1,2,x\n",
            "data.csv, line 1: column 2 has no name; name it with 1 to 128 bytes without control characters",
        ),
        (
            b"a,Label\n1,x\n",
            "data.csv, line 1: there is no column `label`; did you mean `Label`? (case and spaces count)",
        ),
        (
            b"a,lable\n1,x\n",
            "data.csv, line 1: there is no column `label`; did you mean `lable`? (case and spaces count)",
        ),
        (
            b"a;label\n1;x\n",
            "data.csv, line 1: the header is one column with `;` in it; say --delimiter ';' if that separates columns",
        ),
        (b"label\nx\ny\n", "data.csv, line 1: no column is left to predict from; drop fewer"),
        (
            b"a,label\n1,x\n1,2,y\n",
            "data.csv, line 3: 3 cells, the header has 2; a separator inside a text needs quotes around the text",
        ),
        (b"a,label\n1,x\n,y\n", "data.csv, line 3: column `a` has no value; fill it in, or say --missing keep"),
        (
            b"a,label\n1,x\n1e39,y\n",
            "data.csv, line 3: column `a` holds `1000000000000000000000000000000000000000`, which is not a finite number of single precision; replace it",
        ),
        (
            b"a,label\n1,x\n2,y\n3b,x\n",
            "data.csv, line 4: column `a` holds `3b` among numbers; replace it, or say --category `a` to read all of it as text",
        ),
    ];
    for (contents, expected) in cases {
        assert_eq!(faults(Task::TabularClassification, contents, |_| {})?, [expected]);
    }
    Ok(())
}

#[test]
fn every_fault_of_a_column_is_named() -> TestResult {
    let task = Task::TabularClassification;
    let one = |contents: &str, set: &dyn Fn(&mut Options)| faults(task, contents.as_bytes(), set);
    let integer = one("a,label\n1,x\n1.5,y\n", &|options| _ = options.integer.insert("a".into()))?;
    assert_eq!(
        integer,
        [
            "data.csv, line 3: column `a` holds `1.5`, and is declared a column of whole numbers; replace it or leave out --integer"
        ]
    );
    let texts = one("a,label\nb,x\n1,y\n", &|_| {})?;
    assert_eq!(
        texts,
        [
            "data.csv, line 3: column `a` holds `1` among texts; replace it, or say --category `a` to read all of it as text"
        ]
    );
    let empty = one("a,label\nNA,x\n,y\n", &|options| options.keep_missing = true)?;
    assert_eq!(empty, ["data.csv, line 1: column `a` has no value in any row; --drop it"]);
    let dropped = one("a,label\n1,x\n2,y\n", &|options| _ = options.drop.insert("A".into()))?;
    assert_eq!(dropped, ["data.csv, line 1: there is no column `A`; did you mean `a`? (case and spaces count)"]);
    let rows: Vec<String> = (0..65_537).map(|row| format!("id{row},{}", row % 2)).collect();
    let many = one(&format!("a,label\n{}\n", rows.join("\n")), &|_| {})?;
    assert_eq!(many, ["data.csv, line 65538: column `a` has more than 65536 different texts; --drop it"]);
    Ok(())
}

#[test]
fn every_fault_of_a_label_is_named() -> TestResult {
    let task = Task::TabularClassification;
    let one = |contents: &str, set: &dyn Fn(&mut Options)| faults(task, contents.as_bytes(), set);
    assert_eq!(
        one("a,label\n1,x\n2,NA\n3,\n", &|_| {})?,
        [3, 4].map(|line| format!(
            "data.csv, line {line}: the label `label` is missing; fill it in, remove the row, or name the text as a class in --classes"
        ))
    );
    assert_eq!(
        one("a,label\n1,x\n2,x\n", &|_| {})?,
        ["data.csv, line 1: every label is `x`; at least two classes are needed"]
    );
    assert_eq!(
        one("a,label\n1,cat\n2,Dog\n", &|options| options.classes = vec!["cat".into(), "dog".into()])?,
        ["data.csv, line 3: `Dog` is none of the declared classes; did you mean `dog`? (case and spaces count)"]
    );
    let rows: String = (0..30).map(|row| format!("{row},{}\n", ["x", "y", "z"][row % 3])).collect();
    assert_eq!(
        one(&format!("a,label\n{rows}"), &|options| options.positive = Some("x".into()))?,
        ["data.csv, line 1: `x` cannot be the positive class: the classes are `x`, `y`, `z`"]
    );
    // A text that means "missing" elsewhere is a class where it is declared.
    let rows: String = (0..30).map(|row| format!("{row},{}\n", ["NA", "EU"][row % 2])).collect();
    assert!(one(&format!("a,label\n{rows}"), &|options| options.classes = vec!["NA".into(), "EU".into()])?.is_empty());
    Ok(())
}

#[test]
fn every_fault_of_a_number_to_predict_is_named() -> TestResult {
    let regression = |contents: &str| faults(Task::TabularRegression, contents.as_bytes(), |_| {});
    assert_eq!(
        regression("a,target\n1,2\n2,many\n3,\n4,inf\n")?,
        [
            "data.csv, line 3: column `target` holds `many`, which is not a number; replace it",
            "data.csv, line 4: column `target` has no value, and this one must; fill it in or remove the row",
            "data.csv, line 5: column `target` holds `inf`, which is not a finite number of single precision; replace it",
        ]
    );
    let times = |contents: &str| faults(Task::TimeToEvent, contents.as_bytes(), |_| {});
    assert_eq!(
        times("a,time,event\n1,5,1\n1,0,0\n1,5,2\n1,5,maybe\n")?,
        [
            "data.csv, line 3: column `time` holds `0`; a time is above 0",
            "data.csv, line 4: column `event` holds `2`; an event is 1 or, censored, 0",
            "data.csv, line 5: column `event` holds `maybe`; an event is 1 or, censored, 0",
        ]
    );
    Ok(())
}

#[test]
fn every_fault_of_a_time_is_named() -> TestResult {
    let series = |contents: &str, several: bool| {
        faults(Task::TimeSeriesForecasting, contents.as_bytes(), |options| {
            (options.context, options.horizon) = (2, 1);
            options.series = several.then(|| "s".into());
        })
    };
    assert_eq!(
        series("time,target\n2024-01-01,1\n2024-01-03,2\n2024-01-02,3\n2024-01-02,4\nlater,5\n", false)?,
        [
            "data.csv, line 4: time `2024-01-02` is before that of the row above; sort the rows by time",
            "data.csv, line 5: time `2024-01-02` stands twice; keep one row of each time",
            "data.csv, line 6: column `time` holds `later`, which is no time; write 2024-01-31, 2024-01-31T12:00:00 or a number",
        ]
    );
    assert_eq!(
        series("time,target,s\n1,1,a\n1,1,b\n0,1,b\n", true)?,
        ["data.csv, line 4: time `0` is before that of the row above in series `b`; sort the rows by time"]
    );
    let rows: String = (0..10).map(|row| format!("{row},{row}\n")).collect();
    let short = series(&format!("time,target\n{rows}"), false)?;
    assert_eq!(
        short,
        [
            "data.csv: the longest run of rows in validation is 1; a window needs 3 (--context and --horizon)",
            "data.csv: the longest run of rows in test is 2; a window needs 3 (--context and --horizon)",
        ]
    );
    let gaps: String = (0..60).map(|row| format!("{},{row}\n", row + row / 50)).collect();
    let mut options = options(Task::TimeSeriesForecasting);
    (options.context, options.horizon) = (2, 1);
    assert_eq!(
        Directory::of("data.csv", format!("time,target\n{gaps}"))?.warnings(&options)?,
        [
            "data.csv, line 52: 1 steps of time differ from the first one, the first of them here; windows take rows as they come"
        ]
    );
    Ok(())
}

#[test]
fn every_fault_of_a_split_is_named() -> TestResult {
    let named = |contents: &str| {
        faults(Task::TabularClassification, contents.as_bytes(), |options| options.split.column = Some("fold".into()))
    };
    assert_eq!(
        named("a,label,fold\n1,x,train\n2,y,dev\n")?,
        ["data.csv, line 3: `dev` is no split; write train, validation or test"]
    );
    assert_eq!(
        named("a,label,fold\n1,x,test\n2,y,test\n")?,
        [
            "data.csv: the split train would have no row of 2; give more rows or another --split",
            "data.csv: the split validation would have no row of 2; give more rows or another --split"
        ]
    );
    let grouped = faults(
        Task::TabularClassification,
        table("a,label,g,fold", &["1,x,p,train", "2,y,p,test", "3,x,q,train"]).as_bytes(),
        |options| (options.split.group, options.split.column) = (Some("g".into()), Some("fold".into())),
    )?;
    assert_eq!(grouped, ["data.csv, line 3: the group `p` is in train and in test; give each group to one split"]);
    Ok(())
}

#[test]
fn what_may_be_meant_so_is_a_warning() -> TestResult {
    let rows: String = (0..40).map(|row| format!("{},{}\n", row / 2, ["x", "y"][row % 2])).collect();
    let mut options = options(Task::TabularClassification);
    options.classes = ["x", "y", "z"].map(String::from).to_vec();
    let warnings = Directory::of("data.csv", format!("\u{feff}a,label\n{rows}"))?.warnings(&options)?;
    let [mark, absent, copies] = &warnings[..] else { return Err(format!("{warnings:?}").into()) };
    assert_eq!(
        mark,
        "data.csv: the file begins with a byte order mark, which is left out; save it as UTF-8 without BOM"
    );
    assert_eq!(absent, "data.csv: no row has the declared class `z`");
    assert!(copies.contains("rows have the same inputs as a row of another split"), "{copies}");
    Ok(())
}

#[test]
fn all_faults_are_told_together_but_not_more_than_fifty() -> TestResult {
    let rows: String = (0..30).map(|row| format!("{row},{row},\n")).collect();
    let errors = faults(Task::TabularClassification, format!("a,b,label\n,1,x\n1,,y\n{rows}").as_bytes(), |_| {})?;
    assert_eq!(errors.len(), 2 + 5 + 1);
    assert_eq!(errors.last().map(String::as_str), Some("and 25 more"));
    let rows: String = (0..80).map(|_| "1\n").collect();
    let errors = faults(Task::TabularClassification, format!("a,label\n{rows}").as_bytes(), |_| {})?;
    assert_eq!((errors.len(), errors.last().map(String::as_str)), (51, Some("and 30 more")));
    Ok(())
}

/// Twelve good images of two classes with their list.
fn images() -> Result<(Directory, String), Box<dyn std::error::Error>> {
    let directory = Directory::new()?;
    let mut list = "filename,label\n".to_owned();
    for index in 0..12 {
        directory.write(&format!("images/{index}.png"), grey(6, 8, index)?)?;
        list += &format!("{index}.png,{}\n", ["cat", "dog"][usize::from(index % 2)]);
    }
    directory.write("labels.csv", &list)?;
    Ok((directory, list))
}

#[test]
fn every_fault_of_a_list_of_files_is_named() -> TestResult {
    let (directory, list) = images()?;
    let rows = "../secret.png,cat\n/etc/passwd,cat\nx/../../y.png,dog\nimg.png,cat\n3.png,dog\n3.PNG,dog\n,dog\n";
    directory.write("labels.csv", format!("{list}{rows}"))?;
    directory.write("images/lost.png", grey(6, 8, 1)?)?;
    directory.write("images/notes.doc", "x")?;
    directory.write("images/a.b.png", grey(6, 8, 1)?)?;
    directory.write("images/5.jpg", rgb(6, 8, 1, image::ImageFormat::Jpeg)?)?;
    symlink("/etc/passwd", directory.path("images/link.png"))?;
    std::fs::create_dir(directory.path("images/folder.png"))?;
    let errors = directory.errors(&options(Task::ImageClassification))?;
    let expected = [
        "images/folder.png: not a regular file; remove it",
        "images/link.png: a symbolic link is not followed; put the file itself there",
        "images/5.png: another file has the same stem `5`; files are paired by it, so rename one",
        "images/a.b.png: the stem `a.b` has a dot in it, and files are paired by stems; rename the file",
        "images/notes.doc: not read here: files must end in .png, .jpg, .jpeg or .bmp; convert or remove it",
        "labels.csv, line 14: the file name `../secret.png` leads out of the directory; write a plain name such as `0001.png`",
        "labels.csv, line 15: the file name `/etc/passwd` leads out of the directory; write a plain name such as `0001.png`",
        "labels.csv, line 16: the file name `x/../../y.png` leads out of the directory; write a plain name such as `0001.png`",
        "labels.csv, line 17: the file `img.png` is missing in images; add it, or remove the row",
        "labels.csv, line 18: the file `3.png` is named twice, first in line 5; name each file once",
        "labels.csv, line 19: the file `3.PNG` is missing in images; did you mean `3.png`? (case and spaces count); add it, or remove the row",
        "labels.csv, line 20: column `filename` has no value, and this one must; fill it in or remove the row",
        "images/5.jpg: nothing in labels.csv belongs to this file; remove it, or add what is missing",
        "images/a.b.png: nothing in labels.csv belongs to this file; remove it, or add what is missing",
        "images/lost.png: nothing in labels.csv belongs to this file; remove it, or add what is missing",
    ];
    assert_eq!(errors, expected);
    Ok(())
}

#[test]
fn every_fault_of_an_image_is_named() -> TestResult {
    let (directory, _) = images()?;
    let whole = grey(6, 8, 1)?;
    directory.write("images/1.png", "")?;
    directory.write("images/2.png", &whole[..whole.len() / 2])?;
    directory.write("images/3.png", grey(3, 8, 1)?)?;
    directory.write("images/4.png", grey(8, 6, 1)?)?;
    directory.write("images/5.png", grey(7, 8, 1)?)?;
    directory.write("images/6.png", rgb(6, 8, 1, image::ImageFormat::Jpeg)?)?;
    directory.write("images/7.png", "GIF89a, which is not read here")?;
    directory.write("images/8.png", rgb(6, 8, 1, image::ImageFormat::Png)?)?;
    let errors = directory.errors(&options(Task::ImageClassification))?;
    let [zero, corrupt, small, swapped, size, format, kind, colour] = &errors[..] else {
        return Err(errors.join("\n").into());
    };
    assert_eq!(zero, "images/1.png: the file is empty (0 bytes); replace it");
    assert!(corrupt.starts_with("images/2.png: the image is damaged or not of its kind: "), "{corrupt}");
    assert_eq!(small, "images/3.png: 3×8 pixels, at least 4×4 are needed; remove it");
    assert_eq!(
        swapped,
        "images/4.png: 8×6 pixels, expected 6×8 (height × width): height and width are swapped; --size is HEIGHTxWIDTH"
    );
    assert_eq!(size, "images/5.png: 7×8 pixels, expected 6×8 (height × width); scale it, or say --resize exact");
    assert_eq!(format, "images/6.png: the name says PNG, the bytes are JPEG; rename it");
    assert_eq!(kind, "images/7.png: the bytes are no PNG, JPEG or BMP image; convert it");
    assert_eq!(
        colour,
        "images/8.png: a colour image, and the first one is grey; say --channels rgb or --channels grey"
    );
    Ok(())
}

#[test]
fn a_wrong_size_can_be_asked_to_be_right() -> TestResult {
    let (directory, _) = images()?;
    let mut options = options(Task::ImageClassification);
    options.size = Some(Size { height: 8, width: 6 });
    assert_eq!(directory.errors(&options)?.len(), 12);
    (options.resize, options.channels) = (true, Some(Channels::Rgb));
    assert_eq!(directory.dataset(&options)?.outcome.fields[0].shape, [8, 6, 3]);
    Ok(())
}

/// A VOC file of one object.
fn voc(corners: [&str; 4], size: &str) -> String {
    let [x0, y0, x1, y1] = corners;
    format!(
        "<annotation>\n{size}\n<object><name>cat</name>\n<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>\
         <xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object></annotation>"
    )
}

#[test]
fn every_fault_of_a_box_is_named() -> TestResult {
    let directory = Directory::new()?;
    let files = [
        ("0", voc(["1", "1", "8", "6"], "<size><width>8</width><height>6</height></size>")),
        ("1", voc(["0", "1", "8", "6"], "")),
        ("2", voc(["5", "1", "4", "6"], "")),
        ("3", voc(["1", "1", "9", "6"], "")),
        ("4", voc(["one", "1", "8", "6"], "")),
        ("5", voc(["1", "1", "8", "6"], "<size><width>6</width><height>8</height></size>")),
        ("6", "<annotation><object></annotation>".to_owned()),
        ("7", "<annotation><object><name>cat</name></object></annotation>".to_owned()),
        ("8", "<!DOCTYPE a [<!ENTITY b 'b'>]><annotation/>".to_owned()),
        ("lost", voc(["1", "1", "8", "6"], "")),
    ];
    for (name, text) in files {
        directory.write(&format!("annotations/{name}.xml"), text)?;
    }
    for name in 0..10 {
        directory.write(&format!("images/{name}.png"), grey(6, 8, name)?)?;
    }
    let errors = directory.errors(&options(Task::ObjectDetection))?;
    let (xml, others): (Vec<_>, Vec<_>) = errors.into_iter().partition(|error| error.contains("XML is not readable"));
    let outside = "lies outside the image of 6×8";
    let expected = [
        "annotations/lost.xml: nothing in images belongs to this file; remove it, or add what is missing".to_owned(),
        format!("annotations/1.xml, line 3: object 1 {outside}: xmin 0, ymin 1, xmax 8, ymax 6; pixels count from 1"),
        "annotations/2.xml, line 3: object 1 has no area: xmin 5, ymin 1, xmax 4, ymax 6; xmin ≤ xmax and ymin ≤ ymax are needed"
            .to_owned(),
        format!("annotations/3.xml, line 3: object 1 {outside}: xmin 1, ymin 1, xmax 9, ymax 6; pixels count from 1"),
        "annotations/4.xml, line 4: object 1: `one` in <xmin> is not a number; replace it".to_owned(),
        "annotations/5.xml: <size> says 8×6 (height × width), the image has 6×8: height and width are swapped; --size is HEIGHTxWIDTH"
            .to_owned(),
        "annotations/7.xml, line 1: object 1 has no <xmin>; add it".to_owned(),
        "annotations/8.xml, line 1: a document type (<!DOCTYPE>) is not allowed; remove it".to_owned(),
        "images/9.png: there is no annotation for it; add annotations/9.xml, or remove the image".to_owned(),
    ];
    assert_eq!(others, expected);
    assert!(xml.len() == 1 && xml[0].starts_with("annotations/6.xml, line 1: "), "{xml:?}");
    Ok(())
}

#[test]
fn every_fault_of_a_mask_is_named() -> TestResult {
    let directory = Directory::new()?;
    for name in 0..6 {
        directory.write(&format!("images/{name}.png"), grey(6, 8, name)?)?;
    }
    directory.write("masks/0_mask.png", mask(6, 8, |x, _| if x > 3 { 170 } else { 85 })?)?;
    directory.write("masks/1_mask.png", mask(6, 8, |x, y| if (x, y) == (2, 5) { 7 } else { 85 })?)?;
    directory.write("masks/2_mask.png", mask(8, 6, |_, _| 85)?)?;
    directory.write("masks/3_mask.png", rgb(6, 8, 1, image::ImageFormat::Png)?)?;
    directory.write("masks/4_mask.png", "not a mask")?;
    directory.write("masks/9_mask.png", mask(6, 8, |_, _| 85)?)?;
    let mut options = options(Task::SemanticSegmentation);
    options.classes = ["85", "170"].map(String::from).to_vec();
    let errors = directory.errors(&options)?;
    let [lost, value, swapped, colours, corrupt, none] = &errors[..] else { return Err(errors.join("\n").into()) };
    assert_eq!(lost, "masks/9_mask.png: nothing in images belongs to this file; remove it, or add what is missing");
    assert_eq!(
        value,
        "masks/1_mask.png: pixel (2, 5) has the value 7, which is no class; declared are 85, 170; repaint it, or say --ignore 7"
    );
    assert_eq!(
        swapped,
        "masks/2_mask.png: the mask has 8×6 pixels, its image 6×8: height and width are swapped; --size is HEIGHTxWIDTH"
    );
    assert_eq!(colours, "masks/3_mask.png: the mask has colours; a mask is 8-bit grey or has a palette");
    assert!(corrupt.starts_with("masks/4_mask.png: the image is damaged"), "{corrupt}");
    assert_eq!(none, "images/5.png: there is no mask for it; add masks/5_mask.png, or remove the image");
    options.classes = vec!["road".into()];
    assert_eq!(
        directory.errors(&options)?,
        [".: `road` in --classes is no grey value 0 to 255, alone or as VALUE=NAME, each once"]
    );
    Ok(())
}

#[test]
fn masks_without_an_object_are_not_taken_for_two_classes() -> TestResult {
    let directory = Directory::new()?;
    for name in 0..12 {
        directory.write(&format!("images/{name}.png"), grey(6, 8, name)?)?;
        directory.write(&format!("masks/{name}_mask.png"), mask(6, 8, |x, _| x as u8 % 3)?)?;
    }
    let errors = directory.errors(&options(Task::SemanticSegmentation))?;
    assert_eq!(
        errors,
        [
            "masks: no pixel of any mask is above 127, so that all is background; say --classes with the grey values of the classes"
        ]
    );
    Ok(())
}

#[test]
fn every_fault_of_an_instance_is_named() -> TestResult {
    let directory = Directory::new()?;
    for name in 0..3 {
        directory.write(&format!("images/{name}.png"), grey(6, 8, name)?)?;
    }
    directory.write("masks/0/1_cat.png", mask(6, 8, |x, _| if x > 3 { 255 } else { 0 })?)?;
    directory.write("masks/1/1_cat.png", mask(6, 8, |_, _| 100)?)?;
    directory.write("masks/1/cat.png", mask(6, 8, |_, _| 255)?)?;
    directory.write("masks/9/1_cat.png", mask(6, 8, |_, _| 255)?)?;
    assert_eq!(
        directory.errors(&options(Task::InstanceSegmentation))?,
        [
            "masks/9: nothing in images belongs to this file; remove it, or add what is missing",
            "masks/1/1_cat.png: the mask has no pixel above 127; remove it",
            "masks/1/cat.png: `cat.png` is not NUMBER_CLASS.png, such as 001_cat.png; rename it",
            "images/2.png: there is no directory of masks for it; add masks/2, or remove the image",
        ]
    );
    Ok(())
}

#[test]
fn every_fault_of_a_point_is_named() -> TestResult {
    let directory = Directory::new()?;
    for name in 0..4 {
        directory.write(&format!("images/{name}.png"), grey(6, 8, name)?)?;
    }
    let rows = ["0.png,1,2,2", "1.png,1,2,3", "2.png,9,2,1", "3.png,,2,1"];
    directory.write("labels.csv", table("filename,nose_x,nose_y,nose_v", &rows))?;
    let options = options(Task::KeypointDetection);
    assert_eq!(
        directory.errors(&options)?,
        [
            "labels.csv, line 3: column `nose_v` holds `3`; a visibility is 0 (not annotated), 1 (hidden) or 2 (visible)",
            "labels.csv, line 4: point `nose` lies at (9, 2), outside the image of 6×8; set its visibility to 0",
            "labels.csv, line 5: column `nose_x` has no value, and this one must; fill it in or remove the row",
        ]
    );
    directory.write("labels.csv", table("filename,nose", &["0.png,1"]))?;
    let errors = directory.errors(&options)?;
    assert_eq!(
        errors[0],
        "labels.csv, line 1: no columns NAME_x and NAME_y were found, and no Annotation; name each point's columns so"
    );
    let json = r#"0.png,"{""nose"":[0.5]}","{""nose"":2}""#;
    directory.write("labels.csv", table("filename,Annotation,Visibility", &[json, "1.png,{},{}", "2.png,x,{}"]))?;
    let errors = directory.errors(&options)?;
    assert_eq!(errors[0], "labels.csv, line 2: column `Annotation` is no JSON of points: `nose` is not [x, y]");
    assert_eq!(errors[1], "labels.csv, line 3: column `Annotation` is no JSON of points: there is no point `nose`");
    assert!(errors[2].starts_with("labels.csv, line 4: column `Annotation` is no JSON of points: "), "{errors:?}");
    Ok(())
}

#[test]
fn every_fault_of_a_text_is_named() -> TestResult {
    let directory = Directory::new()?;
    directory
        .write("labels.csv", table("filename,extension,label", &["a,.txt,x", "b,.txt,y", "c,.txt,x", "d,.txt,y"]))?;
    directory.write("texts/a.txt", "good")?;
    directory.write("texts/b.txt", " \n")?;
    directory.write("texts/c.txt", b"caf\xe9")?;
    directory.write("texts/d.txt", "")?;
    let options = options(Task::TextClassification);
    assert_eq!(
        directory.errors(&options)?,
        [
            "texts/d.txt: the file is empty (0 bytes); replace it",
            "texts/b.txt: the text is empty; write one or remove the row",
            "texts/c.txt: the text is not UTF-8 from byte 3; save it as UTF-8",
        ]
    );
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(
        Directory::of("data.csv", format!("text,label\ngood,x\n{long},y\n"))?.errors(&options)?,
        ["data.csv, line 3: a text of 1048577 bytes, at most 1048576 are allowed; cut it"]
    );
    Ok(())
}

#[test]
fn options_that_do_not_go_together_are_refused() -> TestResult {
    type Set = fn(&mut Options);
    let set: [(Task, Set, &str); 6] = [
        (Task::TabularRegression, |options| options.ordinal = true, "--ordinal: only a classification has grades"),
        (
            Task::TabularRegression,
            |options| options.text = Some("t".into()),
            "--text: only text_classification has one",
        ),
        (Task::TabularRegression, |options| options.resize = true, "--resize: only images are scaled"),
        (Task::TimeSeriesForecasting, |_| {}, "--context: --context and --horizon must be above 0"),
        (
            Task::TabularRegression,
            |options| options.split.stratify = Some(true),
            "--stratify: only a classification has classes to stratify by",
        ),
        (
            Task::TabularClassification,
            |options| (options.split.group, options.split.time_order) = (Some("a".into()), Some("b".into())),
            "--group: does not go with --time-order",
        ),
    ];
    for (task, set, expected) in set {
        assert_eq!(faults(task, b"a,label\n", set)?, [expected]);
    }
    Ok(())
}
