#include "t2v/generate.h"

#include "api/engine.h"
#include "api/engine_library.h"
#include "api/settings.h"

namespace t2v {

const char* version() { return T2V_VERSION; }

const char* event_name(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kStart:
      return "start";
    case Event::Kind::kLoad:
      return "load";
    case Event::Kind::kEncodeText:
      return "encode_text";
    case Event::Kind::kStep:
      return "step";
    case Event::Kind::kDecode:
      return "decode";
    case Event::Kind::kWrite:
      return "write";
    case Event::Kind::kDone:
      return "done";
    case Event::Kind::kDownload:
      return "download";
    case Event::Kind::kVerify:
      return "verify";
  }
  return "";
}

GenerateResult generate(const GenerateRequest& request, const RunControl& control) {
  const GenerateRequest checked = check(request);
  // Before the engine is loaded, so that a user sees at once that something happens.
  if (control.on_event) {
    control.on_event({.kind = Event::Kind::kStart, .detail = settings_json(checked, checked.device)});
  }
  const auto engine_generate =
      reinterpret_cast<decltype(&t2v_engine_generate)>(engine_entry(kEngineGenerate));
  GenerateResult result;
  engine_generate(checked, control, result);
  return result;
}

}  // namespace t2v
