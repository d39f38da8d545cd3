//! The service from outside: its own binary, its HTTP API, its pages in a browser.

mod backup;
mod browser;
mod crash;
mod leaks;
mod private_challenge;
mod site;
