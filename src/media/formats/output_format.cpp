#include "media/formats/output_format.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <regex>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/setting.h"
#include "core/staged_file.h"
#include "core/text.h"
#include "media/formats/encoding.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// `doing` is the setting and its value.
Error usage(const std::string& doing, const std::string& got, const std::string& expected,
            const std::string& advice) {
  return Error(ErrorCode::kUsage, {.doing = doing, .got = got, .expected = expected, .advice = advice});
}

std::string shown(const fs::path& output) { return setting("output", output.string()); }

void check_stream(const fs::path& output) {
  const bool standard_output = output == "-";
  // Opening a FIFO waits for its reader; asking does not.
  std::error_code ignored;
  const bool fifo = !standard_output && fs::is_fifo(output, ignored);
  if (fifo && ::access(output.c_str(), W_OK) != 0) throw output_error(output, errno);
  if (fifo) return;
  const int descriptor = standard_output
                             ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                             : ::open(output.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) throw output_error(output, errno);
  const bool terminal = ::isatty(descriptor) == 1;
  ::close(descriptor);
  if (terminal) {
    throw usage(shown(output), "a terminal", "a pipe or a file",
                "add | and a command that reads Matroska, or > FILE.mkv");
  }
}

/// Fails if a file of the sequence, or its settings, is there already.
void check_sequence_is_new(const SequenceNames& names, const OutputOptions& options) {
  const auto check = [](const fs::path& name) {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(name, ignored))) throw exists_error(name);
  };
  if (options.settings_file) check(names.settings());
  for (int64_t number = 1; number <= std::max<int64_t>(options.frame_count, 1); ++number)
    check(names.frame(number));
}

void check_folder(const std::string& doing, const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status) && error != std::errc::permission_denied) {
    throw usage(doing, "no folder " + folder.string(), "a folder that exists",
                "make it: mkdir -p " + folder.string());
  }
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw usage(doing, folder.string() + ", which is not a folder", "a folder", "choose another name");
  }
}

void check_name_length(const std::string& doing, const fs::path& file) {
  std::error_code error;
  static_cast<void>(fs::symlink_status(file, error));
  if (error == std::errc::filename_too_long) {
    throw usage(doing, "a name that is too long", "at most 255 bytes in a name", "choose a shorter one");
  }
}

void check_writable(const fs::path& output) {
  // Permission bits mean nothing to root, nor on a read-only filesystem: try it.
  const StagedFile probe(output);
  struct statvfs room {};
  if (::fstatvfs(probe.descriptor(), &room) == 0 && room.f_blocks > 0 && room.f_bavail == 0) {
    throw output_error(output, ENOSPC);
  }
}

}  // namespace

bool is_stream(const fs::path& output) {
  std::error_code ignored;
  const fs::file_status status = fs::status(output, ignored);
  return output == "-" || fs::is_fifo(status) || fs::is_character_file(status);
}

Container output_container(const fs::path& output, const std::string& setting_name) {
  if (is_stream(output)) return Container::kMkv;
  std::string extension = output.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  std::vector<std::string> extensions;
  for (const ContainerFormat& format : container_formats()) {
    if (extension == format.extension) return format.container;
    extensions.emplace_back(format.extension);
  }
  throw usage(setting(setting_name, output.string()),
              extension.empty() ? "a name without an extension" : "the extension " + extension,
              one_of(extensions), "the extension chooses how the clip is written");
}

void check_file(const std::string& setting_name, const fs::path& file, bool overwrite, bool folder_is_tried) {
  const std::string value = setting(setting_name, file.string());
  check_name_length(value, file);
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    throw usage(value, "a folder", "a file name",
                setting_name == "output" ? "try " + (file / "clip.mp4").string() : "");
  }
  const fs::path target = follow_links(file);
  check_folder(value, target);
  const fs::file_status status = fs::symlink_status(target, ignored);
  if (fs::exists(status)) {
    if (!fs::is_regular_file(status)) throw usage(value, "a special file", "a regular file, or none", "");
    if (!overwrite) throw exists_error(file);
  }
  if (!folder_is_tried) check_writable(target);
}

void check_output(const fs::path& output, const OutputOptions& options) {
  std::error_code ignored;
  if (fs::is_directory(output, ignored))
    return check_file("output", output, options.overwrite, options.folder_is_tried);
  const Container container = output_container(output);
  static_cast<void>(choose_encoding(output, options));
  if (is_stream(output)) return check_stream(output);
  if (container != Container::kPngSequence)
    return check_file("output", output, options.overwrite, options.folder_is_tried);

  const SequenceNames names(output, options.frame_count);
  check_name_length(shown(output), names.frame(std::max<int64_t>(options.frame_count, 1)));
  check_folder(shown(output), output);
  if (!options.folder_is_tried) check_writable(output);
  if (!options.overwrite) check_sequence_is_new(names, options);
}

SequenceNames::SequenceNames(const fs::path& output, int64_t frame_count) : folder_(output.parent_path()) {
  const std::string name = output.filename().string();
  const std::regex pattern("%(?:0([1-9]))?d");
  std::smatch found;
  if (std::regex_search(name, found, pattern)) {
    before_ = found.prefix();
    after_ = found.suffix();
    digits_ = found[1].matched ? std::stoi(found[1]) : 1;
    if (std::regex_search(after_, pattern)) {
      throw usage(shown(output), "two patterns for the number", "one, such as clip-%04d.png", "");
    }
  } else if (frame_count == 1) {
    before_ = name;
    numbered_ = false;
  } else {
    before_ = output.stem().string() + "-";
    after_ = output.extension().string();
  }
}

fs::path SequenceNames::frame(int64_t number) const {
  if (!numbered_) return folder_ / before_;
  std::string digits = std::to_string(number);
  digits.insert(0, digits_ > digits.size() ? digits_ - digits.size() : 0, '0');
  return folder_ / (before_ + digits + after_);
}

fs::path SequenceNames::settings() const {
  std::string stem = numbered_ ? before_ : fs::path(before_).stem().string();
  while (!stem.empty() && std::string_view("-_.").find(stem.back()) != std::string_view::npos)
    stem.pop_back();
  return folder_ / ((stem.empty() ? "settings" : stem) + ".json");
}

}  // namespace t2v
