//! Everything that can be wrong with data, one text each: what it is, and what to do about it.

use thimble_datasets::Split;

use crate::wording::{Hint, Quoted, SizeRemedy};

/// What is wrong, and what to do about it. Texts are fragments after the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    // Files.
    /// No such file.
    #[error("the file is missing; add it, or remove what names it")]
    FileMissing,
    /// A row that names a file which is not there.
    #[error("the file {name} is missing in {folder}{hint}; add it, or remove the row")]
    NamedMissing {
        /// The name.
        name: Quoted,
        /// Where it should be.
        folder: String,
        /// The nearest name.
        hint: Hint,
    },
    /// Nothing names it.
    #[error("nothing in {by} belongs to this file; remove it, or add what is missing")]
    Orphan {
        /// What should.
        by: String,
    },
    /// The file has no bytes.
    #[error("the file is empty (0 bytes); replace it")]
    ZeroBytes,
    /// The system refused.
    #[error("the file cannot be read: {reason}")]
    Unreadable {
        /// The system's reason.
        reason: String,
    },
    /// A symbolic link.
    #[error("a symbolic link is not followed; put the file itself there")]
    Symlink,
    /// A directory, a pipe, a device.
    #[error("not a regular file; remove it")]
    NotRegular,
    /// A name that leads elsewhere.
    #[error("the file name {name} leads out of the directory; write a plain name such as `0001.png`")]
    Traversal {
        /// The name.
        name: Quoted,
    },
    /// Two rows name the same file.
    #[error("the file {name} is named twice, first in line {first}; name each file once")]
    FileTwice {
        /// The name.
        name: Quoted,
        /// Where it was named first.
        first: u64,
    },
    /// Two files that only their extension tells apart.
    #[error("another file has the same stem {stem}; files are paired by it, so rename one")]
    StemTwice {
        /// The name without its extension.
        stem: Quoted,
    },
    /// A dot inside the stem.
    #[error("the stem {stem} has a dot in it, and files are paired by stems; rename the file")]
    DottedStem {
        /// The name without its extension.
        stem: Quoted,
    },
    /// A file of a kind that is not read.
    #[error("not read here: files must end in {expected}; convert or remove it")]
    Extension {
        /// What is read.
        expected: &'static str,
    },
    /// Too many bytes.
    #[error("{bytes} bytes, at most {limit} are allowed; make it smaller")]
    TooManyBytes {
        /// The length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Too many files.
    #[error("more than {limit} files; split the data, or give it as Parquet")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// Nothing that an ingestion of this task reads.
    #[error("there is nothing to read: expected {expected}")]
    NothingToRead {
        /// What would be read.
        expected: &'static str,
    },

    // Tables.
    /// A table without a byte.
    #[error("the file is empty; it needs a header line and rows")]
    EmptyTable,
    /// A header and nothing else.
    #[error("there is a header but no row; add rows, or take the file away")]
    HeaderOnly,
    /// A mark that says UTF-8.
    #[error("the file begins with a byte order mark, which is left out; save it as UTF-8 without BOM")]
    ByteOrderMark,
    /// UTF-16 or UTF-32.
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    /// Bytes that are no UTF-8.
    #[error("column {column} is not UTF-8; save the file as UTF-8 (it may be Latin-1)")]
    NotUtf8 {
        /// The column's name, or its number in the header.
        column: Quoted,
    },
    /// Two columns of one name.
    #[error("column {name} stands twice in the header, at {first} and {second}; rename one")]
    ColumnTwice {
        /// The name.
        name: Quoted,
        /// Its first place, from 1.
        first: usize,
        /// Its second place, from 1.
        second: usize,
    },
    /// A column without a name, or with an unusable one.
    #[error("column {place} has {what}; name it with 1 to 128 bytes without control characters")]
    ColumnName {
        /// From 1.
        place: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A column that was asked for.
    #[error("there is no column {name}{hint}")]
    NoColumn {
        /// The name.
        name: Quoted,
        /// The nearest column.
        hint: Hint,
    },
    /// The tables of a dataset differ.
    #[error("the columns are not those of {other}: {name} {what}; give all files the same columns in the same order")]
    OtherColumns {
        /// The file that was read first.
        other: String,
        /// The first column that differs.
        name: Quoted,
        /// How.
        what: &'static str,
    },
    /// The separator is another one.
    #[error("the header is one column with `{found}` in it; say --delimiter '{found}' if that separates columns")]
    Delimiter {
        /// What may separate columns.
        found: char,
    },
    /// No column is left to predict from.
    #[error("no column is left to predict from; drop fewer")]
    NoFeatures,
    /// Too many columns.
    #[error("{found} columns, at most {limit} are allowed; --drop some")]
    TooManyColumns {
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A row with more or fewer cells than the header.
    #[error("{found} cells, the header has {expected}; a separator inside a text needs quotes around the text")]
    Ragged {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        expected: usize,
    },
    /// A row without end.
    #[error("a row of more than {limit} bytes; look for a quote that is not closed")]
    RowTooLong {
        /// The limit.
        limit: u64,
    },
    /// More than is held in memory.
    #[error("more than {limit} bytes of values, which are not held in memory at once; leave columns out")]
    TooManyValues {
        /// The limit.
        limit: u64,
    },
    /// A cell without a value.
    #[error("column {column} has no value; fill it in, or say --missing keep")]
    MissingValue {
        /// The column.
        column: Quoted,
    },
    /// A cell that must have a value.
    #[error("column {column} has no value, and this one must; fill it in or remove the row")]
    MissingTarget {
        /// The column.
        column: Quoted,
    },
    /// NaN or infinity, also after rounding to single precision.
    #[error("column {column} holds {value}, which is not a finite number of single precision; replace it")]
    NotFinite {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// A text where a number must be.
    #[error("column {column} holds {value}, which is not a number; replace it")]
    NotNumber {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// A fraction in a column that was declared whole.
    #[error(
        "column {column} holds {value}, and is declared a column of whole numbers; replace it or leave out --integer"
    )]
    NotInteger {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// Numbers and texts in one column.
    #[error(
        "column {column} holds {value} among {others}; replace it, or say --category {column} to read all of it as text"
    )]
    Mixed {
        /// The column.
        column: Quoted,
        /// What stands there.
        value: Quoted,
        /// What the rows above have.
        others: &'static str,
    },
    /// An identifier or free text.
    #[error("column {column} has more than {limit} different texts; --drop it")]
    TooManyCategories {
        /// The column.
        column: Quoted,
        /// The limit.
        limit: usize,
    },
    /// Categories and classes together are too long.
    #[error(
        "the names of classes and categories are longer than {limit} bytes together, the last in column {column}; --drop it"
    )]
    NamesTooLong {
        /// The column.
        column: Quoted,
        /// The limit.
        limit: usize,
    },
    /// A category or class that cannot be a name.
    #[error(
        "column {column} holds {value}, which is no name: 1 to 128 bytes without control characters; --drop the column"
    )]
    CategoryName {
        /// The column.
        column: Quoted,
        /// The text.
        value: Quoted,
    },
    /// A column of bytes, lists or times.
    #[error("column {column} is of type {found}, expected {expected}; convert or --drop it")]
    ColumnType {
        /// The column.
        column: Quoted,
        /// What it is.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// A column without a value in any row.
    #[error("column {column} has no value in any row; --drop it")]
    ColumnEmpty {
        /// The column.
        column: Quoted,
    },

    // Labels.
    /// A row without a label.
    #[error("the label {column} is missing; fill it in, remove the row, or name the text as a class in --classes")]
    MissingLabel {
        /// The column.
        column: Quoted,
    },
    /// Only one class.
    #[error("every label is {class}; at least two classes are needed")]
    UniformLabel {
        /// The class.
        class: Quoted,
    },
    /// Too many classes.
    #[error(
        "more than {limit} classes in {column}; is it a number to be predicted (tabular_regression) or an identifier?"
    )]
    TooManyClasses {
        /// The column.
        column: Quoted,
        /// The limit.
        limit: usize,
    },
    /// A class that is not declared.
    #[error("{class} is none of the declared classes{hint}")]
    UnknownClass {
        /// The class.
        class: Quoted,
        /// The nearest one.
        hint: Hint,
    },
    /// A declared class without a row.
    #[error("no row has the declared class {class}")]
    AbsentClass {
        /// The class.
        class: Quoted,
    },
    /// `--positive` is not one of two classes.
    #[error("{class} cannot be the positive class: the classes are {classes}")]
    Positive {
        /// What was asked for.
        class: Quoted,
        /// What there is.
        classes: String,
    },

    // Times.
    /// An event that is neither 0 nor 1.
    #[error("column {column} holds {value}; an event is 1 or, censored, 0")]
    Event {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// A time until an event that is not positive.
    #[error("column {column} holds {value}; a time is above 0")]
    TimeNotPositive {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// Not a time.
    #[error("column {column} holds {value}, which is no time; write 2024-01-31, 2024-01-31T12:00:00 or a number")]
    TimeForm {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// Times go back.
    #[error("time {value} is before that of the row above{series}; sort the rows by time")]
    TimeOrder {
        /// The time.
        value: Quoted,
        /// " of series …", where there are several.
        series: String,
    },
    /// A time twice.
    #[error("time {value} stands twice{series}; keep one row of each time")]
    TimeTwice {
        /// The time.
        value: Quoted,
        /// " of series …", where there are several.
        series: String,
    },
    /// Steps differ.
    #[error("{gaps} steps of time differ from the first one, the first of them here; windows take rows as they come")]
    Irregular {
        /// How many.
        gaps: u64,
    },
    /// No window fits.
    #[error("the longest run of rows in {split} is {rows}; a window needs {needed} (--context and --horizon)")]
    SeriesTooShort {
        /// The split.
        split: Split,
        /// Rows of the longest run of one series in the split.
        rows: u64,
        /// Rows of a window.
        needed: u64,
    },
    /// More than can be remembered.
    #[error("more than {limit} {what}; {remedy}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What to do.
        remedy: &'static str,
    },

    // Splits.
    /// Not the name of a split.
    #[error("{value} is no split; write train, validation or test")]
    SplitName {
        /// The text.
        value: Quoted,
    },
    /// A split without a row.
    #[error("the split {split} would have no row of {rows}; give more rows or another --split")]
    EmptySplit {
        /// The split.
        split: Split,
        /// Rows of all splits.
        rows: u64,
    },
    /// A class without a row in a split.
    #[error("class {class} has no row in {split}")]
    ClassNotInSplit {
        /// The class.
        class: Quoted,
        /// The split.
        split: Split,
    },
    /// A group in two given splits.
    #[error("the group {group} is in {first} and in {second}; give each group to one split")]
    GroupInTwo {
        /// The group.
        group: Quoted,
        /// One split.
        first: Split,
        /// Another.
        second: Split,
    },
    /// The same inputs in two splits.
    #[error(
        "{rows} rows have the same inputs as a row of another split, the first of them here{sample}; use --group, or remove copies"
    )]
    SameInputs {
        /// How many.
        rows: u64,
        /// What part was compared.
        sample: String,
    },

    // Images.
    /// An image that cannot be decoded.
    #[error("the image is damaged or not of its kind: {reason}; export it again")]
    Corrupt {
        /// The decoder's reason.
        reason: String,
    },
    /// Not PNG, JPEG or BMP.
    #[error("the bytes are no PNG, JPEG or BMP image; convert it")]
    ImageFormat,
    /// The bytes are of another format than the name says.
    #[error("the name says {expected}, the bytes are {found}; rename it")]
    ImageExtension {
        /// By the name.
        expected: &'static str,
        /// By the bytes.
        found: &'static str,
    },
    /// Too small to be meant.
    #[error("{height}×{width} pixels, at least {limit}×{limit} are needed; remove it")]
    ImageTooSmall {
        /// Pixels.
        height: u32,
        /// Pixels.
        width: u32,
        /// The limit.
        limit: u32,
    },
    /// Too large to decode.
    #[error(
        "{height}×{width} pixels, at most {limit} along a side and {bytes} bytes decoded are allowed; scale it down"
    )]
    ImageTooLarge {
        /// Pixels.
        height: u32,
        /// Pixels.
        width: u32,
        /// The limit of a side.
        limit: u32,
        /// The limit of the decoded bytes.
        bytes: u64,
    },
    /// Another size than the rest.
    #[error("{found_height}×{found_width} pixels, expected {height}×{width} (height × width){swapped}")]
    ImageSize {
        /// Pixels expected.
        height: u32,
        /// Pixels expected.
        width: u32,
        /// Pixels found.
        found_height: u32,
        /// Pixels found.
        found_width: u32,
        /// What to do; another where height and width are swapped.
        swapped: SizeRemedy,
    },

    /// Colour among grey images.
    #[error("a colour image, and the first one is grey; say --channels rgb or --channels grey")]
    ImageChannels,
    /// Unencoded pixels of another form.
    #[error("column {column} holds no image; expected the bytes of one, or an array of u8")]
    NoImage {
        /// The column.
        column: Quoted,
    },

    // Annotations.
    /// An image without its annotation, text or mask.
    #[error("there is no {what} for it; add {file}, or remove the image")]
    NotPaired {
        /// What is missing.
        what: &'static str,
        /// Where it should be.
        file: String,
    },
    /// Broken XML.
    #[error("the XML is not readable: {reason}; export it again")]
    Xml {
        /// The parser's reason.
        reason: String,
    },
    /// A document type, which could define entities.
    #[error("a document type (<!DOCTYPE>) is not allowed; remove it")]
    XmlDoctype,
    /// Elements inside each other without end.
    #[error("elements lie more than {limit} deep; this is no Pascal VOC annotation")]
    XmlDepth {
        /// The limit.
        limit: usize,
    },
    /// An element that must be there.
    #[error("object {object} has no <{element}>; add it")]
    XmlElement {
        /// From 1.
        object: usize,
        /// Its name.
        element: &'static str,
    },
    /// A number that is none.
    #[error("object {object}: {value} in <{element}> is not a number; replace it")]
    XmlNumber {
        /// From 1.
        object: usize,
        /// Its name.
        element: &'static str,
        /// The text.
        value: Quoted,
    },
    /// The annotation is of an image of another size.
    #[error("<size> says {height}×{width} (height × width), the image has {found_height}×{found_width}{swapped}")]
    XmlSize {
        /// Of the annotation.
        height: u32,
        /// Of the annotation.
        width: u32,
        /// Of the image.
        found_height: u32,
        /// Of the image.
        found_width: u32,
        /// What to do.
        swapped: SizeRemedy,
    },
    /// A box without area.
    #[error("object {object} has no area: {corners}; xmin ≤ xmax and ymin ≤ ymax are needed")]
    BoxDegenerate {
        /// From 1.
        object: usize,
        /// As in the file.
        corners: String,
    },
    /// A box that leaves its image.
    #[error("object {object} lies outside the image of {height}×{width}: {corners}; pixels count from 1")]
    BoxOutside {
        /// From 1.
        object: usize,
        /// As in the file.
        corners: String,
        /// Of the image.
        height: u32,
        /// Of the image.
        width: u32,
    },
    /// Too many objects.
    #[error("{found} objects, at most {limit} are allowed in an image")]
    TooManyObjects {
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// No object in any image.
    #[error("no image has an object; at least one is needed")]
    NoObjects,
    /// The mask is of another size than its image.
    #[error("the mask has {found_height}×{found_width} pixels, its image {height}×{width}{swapped}")]
    MaskSize {
        /// Of the image.
        height: u32,
        /// Of the image.
        width: u32,
        /// Of the mask.
        found_height: u32,
        /// Of the mask.
        found_width: u32,
        /// What to do.
        swapped: SizeRemedy,
    },
    /// A pixel that is no class.
    #[error(
        "pixel ({x}, {y}) has the value {value}, which is no class; declared are {classes}; repaint it, or say --ignore {value}"
    )]
    MaskValue {
        /// From the left, from 0.
        x: u32,
        /// From the top, from 0.
        y: u32,
        /// The grey value.
        value: u8,
        /// The grey values of the classes.
        classes: String,
    },
    /// A mask with colours.
    #[error("the mask has {found}; a mask is 8-bit grey or has a palette")]
    MaskKind {
        /// What it has.
        found: &'static str,
    },
    /// No mask has an object.
    #[error(
        "no pixel of any mask is above 127, so that all is background; say --classes with the grey values of the classes"
    )]
    MasksEmpty,
    /// More than two values where two classes are read.
    #[error(
        "the masks have {values} different grey values; those above 127 count as class 1: say --classes for more classes"
    )]
    MaskShades {
        /// Different values.
        values: usize,
    },
    /// A class of masks that is no grey value.
    #[error("{class} in --classes is no grey value 0 to 255, alone or as VALUE=NAME, each once")]
    MaskClass {
        /// What was given.
        class: Quoted,
    },
    /// A mask without a pixel.
    #[error("the mask has no pixel above 127; remove it")]
    MaskEmpty,
    /// An instance's mask whose name has no class.
    #[error("{name} is not NUMBER_CLASS.png, such as 001_cat.png; rename it")]
    InstanceName {
        /// The name.
        name: Quoted,
    },

    // Points.
    /// No column pairs.
    #[error("no columns NAME_x and NAME_y were found, and no Annotation; name each point's columns so")]
    NoPoints,
    /// A visibility that is none.
    #[error("column {column} holds {value}; a visibility is 0 (not annotated), 1 (hidden) or 2 (visible)")]
    Visibility {
        /// The column.
        column: Quoted,
        /// The value.
        value: Quoted,
    },
    /// An annotated point outside its image.
    #[error("point {point} lies at ({x}, {y}), outside the image of {height}×{width}; set its visibility to 0")]
    PointOutside {
        /// The point.
        point: Quoted,
        /// As in the file.
        x: String,
        /// As in the file.
        y: String,
        /// Of the image.
        height: u32,
        /// Of the image.
        width: u32,
    },
    /// The JSON of the points.
    #[error("column {column} is no JSON of points: {reason}")]
    PointJson {
        /// The column.
        column: Quoted,
        /// What is wrong.
        reason: String,
    },

    // Texts.
    /// A text without a letter.
    #[error("the text is empty; write one or remove the row")]
    TextEmpty,
    /// Too long.
    #[error("a text of {bytes} bytes, at most {limit} are allowed; cut it")]
    TextTooLong {
        /// The length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A text file that is no text.
    #[error("the text is not UTF-8 from byte {byte}; save it as UTF-8")]
    TextNotUtf8 {
        /// From 0.
        byte: usize,
    },

    // Arrays and Parquet.
    /// Not a Parquet file.
    #[error("the Parquet file is not readable: {reason}")]
    Parquet {
        /// The library's reason.
        reason: String,
    },
    /// More in memory than is allowed.
    #[error(
        "column {column} has {bytes} uncompressed bytes in one row group, at most {limit} are allowed; write smaller row groups"
    )]
    ParquetChunk {
        /// The column.
        column: Quoted,
        /// Its size.
        bytes: i64,
        /// The limit.
        limit: i64,
    },
    /// Not an array.
    #[error("the array {array} is not readable: {reason}")]
    Array {
        /// Its name.
        array: Quoted,
        /// What is wrong.
        reason: String,
    },
    /// Arrays of different lengths.
    #[error("the array {array} has {found} rows, {other} has {expected}; cut them to the same length")]
    ArrayRows {
        /// Its name.
        array: Quoted,
        /// Its rows.
        found: u64,
        /// The first array.
        other: Quoted,
        /// The first array's rows.
        expected: u64,
    },
    /// A compressed array that becomes far larger than its file.
    #[error(
        "the array {array} has {bytes} bytes, {ratio} times its compressed size; at most {limit} times is allowed above 64 MiB; store it without compression"
    )]
    ArrayBomb {
        /// Its name.
        array: Quoted,
        /// Uncompressed bytes.
        bytes: u64,
        /// Uncompressed by compressed.
        ratio: u64,
        /// The limit.
        limit: u64,
    },
    /// The file changed between the two passes.
    #[error("the file changed while it was read; start again when it is complete")]
    Changed,
}
