#include "api/hand_out_frames.h"

#include <exception>

#include "api/checks.h"

namespace t2v {

GenerateResult hand_out_frames(const Outputs& outputs, const RunControl& control,
                               const std::function<GenerateResult(const RunControl&)>& run) {
  if (!control.on_frames) {
    if (outputs.output.empty()) usage_error(setting("output"), "nothing", "a file, or a callback for frames");
    return run(control);
  }
  std::exception_ptr thrown;
  RunControl guarded = control;
  guarded.on_frames = [&](const DecodedFrames& frames) {
    try {
      control.on_frames(frames);
    } catch (...) {
      thrown = std::current_exception();
      throw Stopped();
    }
  };
  try {
    GenerateResult result = run(guarded);
    if (!thrown) return result;
  } catch (...) {
    if (!thrown) throw;
  }
  std::rethrow_exception(thrown);
}

}  // namespace t2v
