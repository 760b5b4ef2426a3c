//! Has the function built again when the page was, which Cargo does not see by itself; and says in one line
//! that it is built without the page.

use std::path::Path;

fn main() {
    // Where the folder is not there yet, its parent is watched instead: a path that is missing would have the
    // function built anew each time.
    let page = Path::new("ui/dist");
    let watched = if page.exists() { "ui/dist" } else { "ui" };
    println!("cargo::rerun-if-changed={watched}");
    if !page.join("index.html").exists() {
        println!("cargo::warning=built without its page, which `make page` makes");
    }
}
