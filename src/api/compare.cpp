#include "t2v/compare.h"

#include "api/engine_library.h"
#include "engine/interface/engine.h"

namespace t2v {

Comparison compare(const std::filesystem::path& a, const std::filesystem::path& b,
                   const RunControl& control) {
  // Before the engine is loaded, so that a user sees at once that something happens.
  if (control.on_event) control.on_event({.kind = Event::Kind::kDecode, .detail = a.string()});
  const auto engine_compare = engine_entry<decltype(t2v_engine_compare)>(kEngineCompare);
  Comparison comparison;
  engine_compare(a, b, control, comparison);
  return comparison;
}

}  // namespace t2v
