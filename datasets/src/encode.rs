//! Writing a split's Arrow IPC file from columns that may be larger than memory.
//!
//! The Arrow crate's writer holds a whole record batch in memory; a split is one record batch, so that its columns are each
//! in one piece once they are mapped. The metadata is the crate's, the body is copied from the spools.

use std::io::{self, Write};

use arrow_ipc::convert::IpcSchemaEncoder;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions, write_message};
use arrow_ipc::{
    Block, Buffer, FieldNode, FooterBuilder, MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder,
};
use arrow_schema::ArrowError;
use flatbuffers::FlatBufferBuilder;

use crate::decode::arrow_schema;
use crate::metadataset::Field;
use crate::spool::Spool;

const MAGIC: &[u8; 6] = b"ARROW1";
/// Every buffer and message starts at a multiple of this.
const ALIGNMENT: u64 = 64;
const ZEROS: [u8; ALIGNMENT as usize] = [0; ALIGNMENT as usize];

/// Writes the file of a split with `rows` rows.
pub(crate) fn write_file(out: &mut dyn Write, rows: u64, spools: &mut [Spool]) -> Result<(), ArrowError> {
    let fields: Vec<Field> = spools.iter().map(|spool| spool.field().clone()).collect();
    let schema = arrow_schema(&fields);
    let mut out = Counted { out, bytes: 0 };
    out.write_all(MAGIC)?;
    out.pad()?;

    let options = IpcWriteOptions::default();
    let mut dictionaries = DictionaryTracker::new(true);
    let message =
        IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(&schema, &mut dictionaries, &options);
    write_message(&mut out, message, &options)?;
    out.pad()?;

    let layout = Layout::of(rows, spools);
    let metadata = layout.message(rows);
    let block = out.bytes;
    let padded = (8 + metadata.len() as u64).next_multiple_of(ALIGNMENT);
    out.write_all(&[0xff; 4])?;
    out.write_all(&((padded - 8) as u32).to_le_bytes())?;
    out.write_all(&metadata)?;
    out.pad()?;
    for spool in spools {
        spool.copy_offsets(|bytes| out.write_all(bytes))?;
        out.pad()?;
        spool.copy_values(|bytes| out.write_all(bytes))?;
        out.pad()?;
    }
    // The end of the stream that the file also is.
    out.write_all(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])?;

    let footer = footer(&schema, Block::new(block as i64, padded as i32, layout.body as i64));
    out.write_all(&footer)?;
    out.write_all(&(footer.len() as u32).to_le_bytes())?;
    Ok(out.write_all(MAGIC)?)
}

/// Where the buffers of a record batch lie in its body.
struct Layout {
    nodes: Vec<FieldNode>,
    buffers: Vec<Buffer>,
    body: u64,
}

impl Layout {
    fn of(rows: u64, spools: &[Spool]) -> Self {
        let mut layout = Self { nodes: Vec::new(), buffers: Vec::new(), body: 0 };
        for spool in spools {
            layout.column(rows, spool);
        }
        layout
    }

    /// Arrays inside out: list of items, items of fixed size, values. None has nulls, so validity buffers are empty.
    fn column(&mut self, rows: u64, spool: &Spool) {
        let (field, (offsets, values)) = (spool.field(), spool.lengths());
        let mut length = rows as i64;
        self.array(length);
        if let Some(offsets) = offsets {
            self.buffer(offsets);
        }
        if field.ragged {
            length = spool.items();
            self.array(length);
        }
        if !field.shape.is_empty() {
            length *= field.width() as i64;
            self.array(length);
        }
        self.buffer(values);
    }

    fn array(&mut self, length: i64) {
        self.nodes.push(FieldNode::new(length, 0));
        self.buffer(0);
    }

    fn buffer(&mut self, bytes: u64) {
        self.buffers.push(Buffer::new(self.body as i64, bytes as i64));
        self.body = (self.body + bytes).next_multiple_of(ALIGNMENT);
    }

    fn message(&self, rows: u64) -> Vec<u8> {
        let mut builder = FlatBufferBuilder::new();
        let (nodes, buffers) = (builder.create_vector(&self.nodes), builder.create_vector(&self.buffers));
        let mut batch = RecordBatchBuilder::new(&mut builder);
        batch.add_length(rows as i64);
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        let batch = batch.finish();
        let mut message = MessageBuilder::new(&mut builder);
        message.add_version(MetadataVersion::V5);
        message.add_header_type(MessageHeader::RecordBatch);
        message.add_header(batch.as_union_value());
        message.add_bodyLength(self.body as i64);
        let message = message.finish();
        builder.finish(message, None);
        builder.finished_data().to_vec()
    }
}

fn footer(schema: &arrow_schema::Schema, block: Block) -> Vec<u8> {
    let mut builder = FlatBufferBuilder::new();
    let dictionaries = builder.create_vector::<Block>(&[]);
    let batches = builder.create_vector(&[block]);
    let schema = IpcSchemaEncoder::new().schema_to_fb_offset(&mut builder, schema);
    let mut footer = FooterBuilder::new(&mut builder);
    footer.add_version(MetadataVersion::V5);
    footer.add_schema(schema);
    footer.add_dictionaries(dictionaries);
    footer.add_recordBatches(batches);
    let footer = footer.finish();
    builder.finish(footer, None);
    builder.finished_data().to_vec()
}

/// Knows how far a file has come.
struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Counted<'_> {
    /// Writes zeros up to the next multiple of the alignment.
    fn pad(&mut self) -> io::Result<()> {
        let padding = self.bytes.next_multiple_of(ALIGNMENT) - self.bytes;
        self.write_all(&ZEROS[..padding as usize])
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
