#include "reads.h"

#include <cerrno>
#include <string>

#include <nlohmann/json.hpp>

#include "format.h"
#include "streams.h"
#include "t2v/error.h"
#include "t2v/text.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

struct Found {
  int64_t files = 0, bytes = 0;

  void add(const fs::path& file) {
    std::error_code error;
    if (!fs::is_regular_file(file, error)) return;
    ++files;
    bytes += static_cast<int64_t>(fs::file_size(file, error));
  }
};

/// The pictures of a sequence: "clip.png" names clip-0001.png, ..., and "clip-%04d.png" as well.
Found find_pictures(const fs::path& path) {
  const std::string stem = path.stem().string();
  const size_t pattern = stem.find('%');
  const std::string begin = pattern == std::string::npos ? stem + '-' : stem.substr(0, pattern);
  Found found;
  std::error_code ignored;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const fs::path name = entry.path().filename();
    if (name.extension() == path.extension() && name.string().starts_with(begin)) found.add(entry.path());
  }
  return found;
}

Found find_all(const fs::path& path) {
  Found found;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (fs::recursive_directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      found.add(entry->path());
    }
  } else {
    found.add(path);
    if (found.files == 0 && !fs::exists(path, error)) found = find_pictures(path);
  }
  if (found.files > 0) return found;
  throw Error(ErrorCode::kInput, {.doing = "reading " + path.string(),
                                  .got = fs::exists(path, error) ? "no file in it" : "no such file or folder",
                                  .expected = "something to read"});
}

}  // namespace

FlagGroup reading_flags(bool& dry_run) {
  return {"Instead of reading",
          {switch_flag({"--dry-run"}, "Tell what would be read; read nothing", dry_run, true)}};
}

int show_reads(const std::vector<fs::path>& paths, bool json) {
  nlohmann::ordered_json objects = nlohmann::ordered_json::array();
  std::string text;
  for (const fs::path& path : paths) {
    const Found found = find_all(path);
    objects.push_back({{"path", path.string()}, {"files", found.files}, {"bytes", found.bytes}});
    text += formatted("%10s  ", in_bytes(found.bytes).c_str()) + escape_for_display(path.string());
    text += (found.files > 1 ? ", " + std::to_string(found.files) + " files" : "") + '\n';
  }
  return json ? print_json({{"reads", objects}}) : print(text);
}

}  // namespace t2v
