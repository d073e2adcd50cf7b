#include "t2v/generate.h"

#include "t2v/renderer.h"

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
    case Event::Kind::kBench:
      return "bench";
  }
  return "";
}

GenerateResult generate(const GenerateRequest& request, const RunControl& control) {
  return Renderer().generate(request, control);
}

}  // namespace t2v
