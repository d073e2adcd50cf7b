#include "api/engine_library.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/log.h"
#include "core/process.h"
#include "t2v/error.h"

namespace t2v {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& got) {
  const bool memory =
      got.find("failed to map") != std::string::npos || got.find("allocate memory") != std::string::npos;
  throw Error(memory ? ErrorCode::kResource : ErrorCode::kBug,
              {.doing = "loading " + file.string(),
               .got = got,
               .expected = "t2v's engine",
               .advice = memory ? "raise the limit on memory (ulimit -v)" : "install t2v again"});
}

/// In a process that may be tuned: threads of OpenMP that wait spin for milliseconds, and where others want
/// the cores the one that is waited for gets none: a clip of a second took 17 beside two busy processes. So
/// short a spin costs 2 % on idle cores.
void* open_engine(const std::filesystem::path& file) {
  if (may_tune_process() && std::getenv("OMP_WAIT_POLICY") == nullptr)
    ::setenv("GOMP_SPINCOUNT", "1000", /*overwrite=*/0);
  return ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
}

const EngineEntryPoints& load_engine() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&version), &info);
  const auto file = std::filesystem::canonical(info.dli_fname).parent_path() / kEngineLibrary;
  void* library = open_engine(file);
  void* symbol = library != nullptr ? ::dlsym(library, kEngineSymbol) : nullptr;
  if (symbol == nullptr) fail(file, ::dlerror());
  const auto& entry_points = reinterpret_cast<decltype(t2v_engine_entry_points)*>(symbol)();
  if (entry_points.size != sizeof(EngineEntryPoints)) fail(file, "the engine of another build");
  return entry_points;
}

}  // namespace

const EngineEntryPoints& engine(const std::string& doing) {
  static const EngineEntryPoints& loaded = [&]() -> const EngineEntryPoints& {
    if (!doing.empty()) log_note(doing);
    return load_engine();
  }();
  return loaded;
}

}  // namespace t2v
