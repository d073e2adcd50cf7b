#pragma once

namespace t2v {

/// A function that libt2v_engine.so exports (api/engine.h). The library is loaded by the first call: it
/// brings LibTorch, which takes 0.3 s. Error (kBug, kResource).
void* engine_entry(const char* name);

}  // namespace t2v
