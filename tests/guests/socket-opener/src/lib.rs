//! Opens a socket. It is refused for asking, so that what it would send does not matter.

use std::io::Write as _;
use std::net::TcpStream;

use exports::thimble::solution::{learner, predictor};
use thimble::solution::data::Loader;
use thimble::solution::task::Metadata;
use thimble::solution::tensors::Tensor;

wit_bindgen::generate!({ path: "../../../wit", world: "solution" });

struct SocketOpener;

struct NoModel;

impl learner::Guest for SocketOpener {
    fn solve(_: Loader, _: Loader, _: Metadata) -> Result<Vec<Tensor>, String> {
        let mut stream = TcpStream::connect("192.0.2.1:80").map_err(|error| error.to_string())?;
        stream.write_all(b"rows").map_err(|error| error.to_string())?;
        Ok(Vec::new())
    }
}

impl predictor::Guest for SocketOpener {
    type Model = NoModel;
}

impl predictor::GuestModel for NoModel {
    fn load(_: Vec<Tensor>, _: Metadata) -> Result<predictor::Model, String> {
        Ok(predictor::Model::new(Self))
    }

    fn predict(&self, _: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        Ok(Vec::new())
    }
}

export!(SocketOpener);
