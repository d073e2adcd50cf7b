#include "t2v/generate.h"

#include <dlfcn.h>

#include "api/engine.h"
#include "api/settings.h"
#include "t2v/error.h"

namespace t2v {
namespace {

/// The engine's entry, loaded once: it brings LibTorch, which takes 0.3 s.
decltype(&t2v_engine_generate) load_engine() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&version), &info);
  const std::filesystem::path file =
      std::filesystem::canonical(info.dli_fname).parent_path() / kEngineLibrary;
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* entry = library != nullptr ? ::dlsym(library, kEngineGenerate) : nullptr;
  if (entry == nullptr) {
    const char* reason = ::dlerror();
    const std::string got = reason != nullptr ? reason : "no entry";
    const bool memory =
        got.find("failed to map") != std::string::npos || got.find("allocate memory") != std::string::npos;
    throw Error(memory ? ErrorCode::kResource : ErrorCode::kBug,
                {.doing = "loading " + file.string(),
                 .got = got,
                 .expected = "t2v's engine",
                 .advice = memory ? "raise the limit on memory (ulimit -v)" : "install t2v again"});
  }
  return reinterpret_cast<decltype(&t2v_engine_generate)>(entry);
}

}  // namespace

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
  static const auto engine_generate = load_engine();
  GenerateResult result;
  engine_generate(checked, control, result);
  return result;
}

}  // namespace t2v
