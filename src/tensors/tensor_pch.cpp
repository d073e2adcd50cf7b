// Compiles the precompiled header that every target with TENSORS reuses.
