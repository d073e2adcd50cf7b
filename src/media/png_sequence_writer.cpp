#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/staged_file.h"
#include "media/format_writers.h"
#include "media/png_encoder.h"
#include "media/video_reader.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

/// A new file with this content, on the disk. `name` is what errors call it.
void write_file(const fs::path& file, std::string_view content, const fs::path& name) {
  const int descriptor = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor < 0) throw output_error(name, errno);
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    if (count >= 0) content.remove_prefix(static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && ::fsync(descriptor) != 0) error = errno;
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (error != 0) throw output_error(name, error);
}

/// Renames that are undone at the end of the scope, last first, unless they are kept.
class Moves {
 public:
  Moves() = default;
  ~Moves() {
    for (auto move = done_.rbegin(); move != done_.rend(); ++move) {
      rename_without_replacing(move->second, move->first);
    }
  }
  Moves(const Moves&) = delete;
  Moves& operator=(const Moves&) = delete;

  /// Error (kUsage) if `to` is there, (kOutput). `name` is what errors call it.
  void move(const fs::path& from, const fs::path& to, const fs::path& name) {
    done_.emplace_back(from, to);
    const int error = rename_without_replacing(from, to);
    if (error == 0) return;
    done_.pop_back();
    throw error == EEXIST ? exists_error(name) : output_error(name, error);
  }
  void keep() { done_.clear(); }

 private:
  std::vector<std::pair<fs::path, fs::path>> done_;
};

class PngSequenceWriter final : public ClipWriter {
 public:
  PngSequenceWriter(const fs::path& output, const ClipSettings& settings);

  void write(const Frames& frames) override {
    const auto frame_size = static_cast<size_t>(3 * settings_.height * settings_.width);
    for (int64_t i = 0; i < frames.count; ++i)
      write_frame(frames.rgb.data() + static_cast<size_t>(i) * frame_size);
  }

  void publish() override {
    std::vector<fs::path> names;
    for (int64_t number = 1; number <= count_; ++number) names.push_back(names_.frame(number));
    if (!settings_.comment.empty()) {
      names.push_back(names_.settings());
      write_file(staged(names.back()), settings_.comment + "\n", names.back());
    }
    if (::mkdir((staging_.path() / "old").c_str(), 0777) != 0) throw output_error(folder_, errno);

    Moves moves;
    for (const fs::path& name : names) {
      put_aside(moves, name);
      moves.move(staged(name), name, name);
    }
    // The tail of an old sequence that was longer would look like the end of this one.
    const bool tail = settings_.overwrite && names_.numbered();
    for (int64_t number = count_ + 1; tail && is_file(names_.frame(number)); ++number) {
      put_aside(moves, names_.frame(number));
    }
    moves.keep();
    sync_folder(folder_);
  }

 private:
  void write_frame(const uint8_t* rgb) {
    const fs::path name = names_.frame(++count_);
    write_file(staged(name), encoder_.encode(rgb), name);
    VideoReader reader(staged(name));
    const Frames got = reader.next() ? reader.frame() : Frames{};
    if (got.width != settings_.width || got.height != settings_.height ||
        !std::equal(got.rgb.begin(), got.rgb.end(), rgb)) {
      throw Error(ErrorCode::kOutput, {.doing = "writing " + name.string() + ": reading it back",
                                       .got = "other pixels than were written",
                                       .advice = "check the disk"});
    }
  }

  fs::path staged(const fs::path& name) const { return staging_.path() / name.filename(); }
  // What was there goes into the hidden folder, and with it when all is well.
  void put_aside(Moves& moves, const fs::path& name) const {
    if (settings_.overwrite && is_file(name))
      moves.move(name, staging_.path() / "old" / name.filename(), name);
  }

  ClipSettings settings_;
  SequenceNames names_;
  fs::path folder_;
  StagedFolder staging_;
  PngEncoder encoder_;
  int64_t count_ = 0;
};

PngSequenceWriter::PngSequenceWriter(const fs::path& output, const ClipSettings& settings)
    : settings_(settings),
      names_(output, settings.frame_count),
      folder_(output.has_parent_path() ? output.parent_path() : "."),
      staging_(folder_),
      encoder_(settings.width, settings.height, "writing " + output.string()) {}

}  // namespace

std::unique_ptr<ClipWriter> make_png_sequence_writer(const fs::path& output, const ClipSettings& settings) {
  return std::make_unique<PngSequenceWriter>(follow_links(output), settings);
}

}  // namespace t2v
