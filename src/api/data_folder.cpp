#include "api/data_folder.h"

#include <dlfcn.h>

#include "t2v/generate.h"

namespace t2v {

namespace fs = std::filesystem;

fs::path data_folder() {
  // This library is PREFIX/lib/t2v/libt2v.so, in an installation and in the build tree alike.
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&version), &info);
  const fs::path library = fs::canonical(info.dli_fname);
  return library.parent_path().parent_path().parent_path() / "share" / "t2v";
}

fs::path bundled_model(const std::string& name) { return data_folder() / "models" / name; }

}  // namespace t2v
