//! What `wit-bindgen` makes of `wit/thimble.wit`. Public for [`export!`](crate::export) only.

wit_bindgen::generate!({
    path: "../wit",
    world: "solution",
    pub_export_macro: true,
    export_macro_name: "export_world",
    default_bindings_module: "thimble_sdk::bindings",
});
