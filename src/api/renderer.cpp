#include "t2v/renderer.h"

#include <algorithm>
#include <set>

#include "api/checks.h"
#include "api/engine_library.h"
#include "api/hand_out_frames.h"
#include "api/model_digest.h"
#include "t2v/checker.h"

namespace t2v {

Renderer::Renderer() = default;
Renderer::~Renderer() = default;

void Renderer::expect(const std::vector<CheckedRequest>& requests) { expected_ = requests; }

GenerateResult Renderer::generate(const GenerateRequest& request, const RunControl& control) {
  return render(check(request), control);
}

GenerateResult Renderer::generate(const CheckedRequest& request, const RunControl& control) {
  std::set<std::filesystem::path> writable_folders;
  check_outputs(request.outputs, request.encoding, request.size, writable_folders);
  return render(request, control);
}

GenerateResult Renderer::render(const CheckedRequest& request, const RunControl& control) {
  const auto is_this = [&](const CheckedRequest& expected) {
    return expected.outputs.output == request.outputs.output;
  };
  const auto found = std::find_if(expected_.begin(), expected_.end(), is_this);
  if (found != expected_.end()) expected_.erase(found);
  return hand_out_frames(request.outputs, control, [&](const RunControl& guarded) {
    // Before the engine is loaded, so that a user sees at once that something happens.
    if (control.on_event) {
      control.on_event({.kind = Event::Kind::kStart, .detail = settings_of(request)});
    }
    ModelDigest digest(request.model);
    if (!engine_) engine_ = engine().rendering.make_renderer();
    return engine_->render(
        {.request = request, .expected = expected_, .model_sha256 = [&] { return digest.get(); }}, guarded);
  });
}

}  // namespace t2v
