#include "engine/clips/kept_latents.h"

#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "media/formats/output_format.h"
#include "t2v/error.h"
#include "tensors/weights/read_tensor.h"
#include "tensors/weights/safetensors_writer.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// "clip.mp4.latents.safetensors", "clip.mp4.latents-2.safetensors", ...
fs::path file_beside(const fs::path& output, int64_t number) {
  constexpr size_t kLongestName = 200;  // bytes; a name may have 255
  std::string name = output.filename().string();
  if (name.size() > kLongestName) {
    name.resize(kLongestName);
    while (!is_valid_utf8(name)) name.pop_back();
  }
  name += ".latents";
  if (number > 1) name.append("-").append(std::to_string(number));
  return output.parent_path() / name.append(".safetensors");
}

/// A path for a command line, in quotes if it needs them.
std::string quoted(const fs::path& path) {
  const std::string text = path.string();
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:=@%-";
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string::npos;
  return plain ? text : in_shell_quotes(text);
}

/// Whether a file already holds these latents and settings, because a run of the same clip was killed.
bool holds(const fs::path& file, const Latents& latents, const std::string& settings) {
  try {
    const auto stored = TensorFile::open(file);
    const auto found = stored->metadata().find("t2v");
    if (found == stored->metadata().end() || found->second != settings) return false;
    const auto equal = [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.scalar_type() == b.second.scalar_type() &&
             at::equal(a.second, b.second);
    };
    const Latents stored_latents = read_latents(file);
    return std::equal(stored_latents.begin(), stored_latents.end(), latents.begin(), latents.end(), equal);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

KeptLatents::KeptLatents(const Outputs& outputs, const Latents& latents, const std::string& settings)
    : temporary_(outputs.save_latents.empty()), output_(outputs.output) {
  if (temporary_ && (outputs.output.empty() || is_stream(outputs.output))) return;
  const auto write = [&](const fs::path& file, bool overwrite) {
    write_safetensors(file, {latents.begin(), latents.end()}, {{"t2v", settings}}, overwrite);
    file_ = file;
  };
  if (!temporary_) write(outputs.save_latents, outputs.overwrite);
  for (int64_t number = 1; file_.empty(); ++number) {
    const fs::path file = file_beside(outputs.output, number);
    try {
      write(file, /*overwrite=*/false);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kUsage) throw;
      // Latents of another clip under this name are not replaced.
      if (holds(file, latents, settings)) file_ = file;
    }
  }
}

void KeptLatents::remove() {
  std::error_code ignored;
  if (temporary_ && !file_.empty()) fs::remove(file_, ignored);
}

void KeptLatents::tell() const {
  std::error_code ignored;
  if (file_.empty() || !fs::exists(file_, ignored)) return;
  log_beside_error("the sampled latents are kept in " + file_.string() +
                   "; to make the clip of them: t2v decode " + quoted(file_) + " -o " +
                   (output_.empty() ? "CLIP.mp4" : quoted(output_)));
}

void expect_room(const Outputs& outputs, int64_t latents_bytes) {
  const fs::path file = outputs.save_latents.empty() ? outputs.output : outputs.save_latents;
  if (file.empty() || is_stream(file)) return;
  std::error_code error;
  const fs::space_info space = fs::space(file.has_parent_path() ? file.parent_path() : ".", error);
  const auto needed = static_cast<uintmax_t>(latents_bytes);
  if (error || space.capacity == 0 || space.available >= needed) return;
  throw Error(ErrorCode::kOutput, {.doing = "writing " + file.string(),
                                   .got = "a disk with " + std::to_string(space.available) + " bytes free",
                                   .expected = "at least " + std::to_string(needed) + ", for the latents",
                                   .advice = "free some room, or choose another disk"});
}

Latents read_latents(const fs::path& file) {
  const auto stored = TensorFile::open(file);
  Latents latents;
  for (const auto& [kind, tensor] : stored->tensors()) {
    if (!kind.ends_with(kVideoLatents)) continue;
    latents[kind] = read_tensor({.file = stored, .stored = tensor});
    check_finite(latents[kind], "decoding " + file.string());
  }
  return latents;
}

}  // namespace t2v
