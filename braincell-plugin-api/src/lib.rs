//! What the author of a solver plugin depends on, and the loader for hosts.
