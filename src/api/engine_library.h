#pragma once

#include <string>

namespace t2v {

/// A function that libt2v_engine.so exports (api/engine.h). The library is loaded by the first call: it
/// brings LibTorch, which takes 0.3 s, and so that a user sees at once that something happens, `doing` is
/// logged before. Error (kBug, kResource).
void* engine_entry(const char* name, const std::string& doing = "");

}  // namespace t2v
