#include "t2v/compare.h"

#include "api/engine_library.h"

namespace t2v {

Comparison compare(const std::filesystem::path& a, const std::filesystem::path& b,
                   const RunControl& control) {
  // Before the engine is loaded, so that a user sees at once that something happens.
  if (control.on_event) control.on_event({.kind = Event::Kind::kDecode, .detail = a.string()});
  return engine().clips.compare(a, b, control);
}

}  // namespace t2v
