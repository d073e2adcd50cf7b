#include "t2v/decode.h"

#include "api/check_decode.h"
#include "api/engine_library.h"
#include "api/hand_out_frames.h"

namespace t2v {

GenerateResult decode(const std::filesystem::path& latents, const DecodeRequest& request,
                      const RunControl& control) {
  const DecodeTask task = check_decode(latents, request);
  return hand_out_frames(request.outputs, control, [&](const RunControl& guarded) {
    if (control.on_event) control.on_event({.kind = Event::Kind::kStart, .detail = task.settings});
    return engine().rendering.decode(task, guarded);
  });
}

}  // namespace t2v
