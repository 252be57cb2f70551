//! What is said and shown to people: paragraphs, pictures, what-ifs, the sample network.

mod explanation;
mod pictures;
mod sample_network;
mod what_if;
