//! What goes wrong with files and processes, and what the durable engine does then.
