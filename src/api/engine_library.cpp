#include "api/engine_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "api/engine.h"
#include "t2v/error.h"

namespace t2v {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
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

}  // namespace

void* engine_entry(const char* name) {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&version), &info);
  static const std::filesystem::path file =
      std::filesystem::canonical(info.dli_fname).parent_path() / kEngineLibrary;
  static void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* entry = library != nullptr ? ::dlsym(library, name) : nullptr;
  if (entry == nullptr) fail(file);
  return entry;
}

}  // namespace t2v
