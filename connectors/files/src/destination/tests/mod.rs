mod crash;
mod fences;
mod memory_disk;
mod run;
mod writing;
