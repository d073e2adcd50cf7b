#include "t2v/renderer.h"

#include <algorithm>

#include "api/engine_library.h"
#include "api/model_digest.h"
#include "engine/interface/engine.h"
#include "engine/interface/settings.h"
#include "t2v/error.h"

namespace t2v {

Renderer::Renderer() = default;
Renderer::~Renderer() = default;

void Renderer::expect(const std::vector<GenerateRequest>& requests) {
  for (const GenerateRequest& request : requests) {
    if (request.guidance_scale && request.negative_prompt) continue;
    throw Error(ErrorCode::kUsage, {.doing = "expecting a clip",
                                    .got = "a request with empty settings",
                                    .expected = "one that check() has returned"});
  }
  expected_ = requests;
}

GenerateResult Renderer::generate(const GenerateRequest& request, const RunControl& control) {
  const GenerateRequest checked = check(request);
  const auto is_this = [&](const GenerateRequest& expected) { return expected.output == checked.output; };
  expected_.erase(std::remove_if(expected_.begin(), expected_.end(), is_this), expected_.end());
  // Before the engine is loaded, so that a user sees at once that something happens.
  if (control.on_event) {
    control.on_event(
        {.kind = Event::Kind::kStart, .detail = settings_json(checked, {.device = checked.device})});
  }
  ModelDigest digest(checked);
  if (!engine_) {
    engine_entry<decltype(t2v_engine_make_renderer)>(kEngineMakeRenderer)(engine_);
  }
  return engine_->render(
      {.request = checked, .expected = expected_, .model_sha256 = [&] { return digest.get(); }}, control);
}

}  // namespace t2v
