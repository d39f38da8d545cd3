//! The style and the scripts: one file each, addressed with what is in it.

use std::sync::LazyLock;

use thimble_datasets::Digest;

/// A file that pages load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// The last part of its address.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What is in it.
    pub content: &'static str,
}

/// What pages look like.
pub const STYLE: Asset =
    Asset { name: "style.css", media_type: "text/css; charset=utf-8", content: include_str!("../assets/style.css") };
/// Names the points of a plot where they are pointed at.
pub const PLOT: Asset = Asset { name: "plot.js", media_type: SCRIPT, content: include_str!("../assets/plot.js") };
/// Shows a submission as it moves.
pub const LIVE: Asset = Asset { name: "live.js", media_type: SCRIPT, content: include_str!("../assets/live.js") };

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Every asset.
pub const ALL: [Asset; 3] = [STYLE, PLOT, LIVE];

/// The address of each, in the order of [`ALL`].
static ADDRESSES: LazyLock<[String; 3]> = LazyLock::new(|| {
    ALL.map(|asset| {
        let hash: String = Digest::of(asset.content.as_bytes()).to_hex().chars().take(16).collect();
        format!("/static/{}?v={hash}", asset.name)
    })
});

impl Asset {
    /// The asset of that name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|asset| asset.name == name)
    }

    /// Its address. Another content has another address, so what was loaded once need not be asked for again.
    pub fn address(&self) -> &'static str {
        let position = ALL.iter().position(|asset| asset.name == self.name);
        position.and_then(|i| ADDRESSES.get(i)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_the_hash_of_the_content() {
        for asset in ALL {
            let hash = Digest::of(asset.content.as_bytes()).to_hex();
            assert_eq!(asset.address(), format!("/static/{}?v={}", asset.name, &hash[..16]));
            assert_eq!(Asset::named(asset.name), Some(asset));
        }
        assert_eq!(Asset::named("../lib.rs"), None);
    }
}
