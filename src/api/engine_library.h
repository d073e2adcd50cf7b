#pragma once

#include <string>

namespace t2v {

/// The address of what libt2v_engine.so exports under that name.
void* engine_symbol(const char* name, const std::string& doing);

/// A function that libt2v_engine.so exports (api/engine.h). The library is loaded by the first call: it
/// brings LibTorch, which takes 0.3 s, and so that a user sees at once that something happens, `doing` is
/// logged before. Error (kBug, kResource).
template <typename Entry>
Entry* engine_entry(const char* name, const std::string& doing = "") {
  return reinterpret_cast<Entry*>(engine_symbol(name, doing));
}

}  // namespace t2v
