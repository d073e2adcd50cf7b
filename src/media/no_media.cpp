// Replaces the rest of this folder in a build without libav (T2V_MEDIA=OFF). Such a build plans, times and
// converts, but reads and writes no video.

#include "media/clip_reader.h"
#include "media/clip_writer.h"
#include "media/image_reader.h"
#include "media/png_encoder.h"
#include "media/video_reader.h"
#include "t2v/error.h"

namespace t2v {
namespace {

[[noreturn]] void refuse(ErrorCode code, const std::string& doing) {
  throw Error(code, {.doing = doing,
                     .got = "a t2v that was built without libav",
                     .expected = "one that can read and write video",
                     .advice = "build it with -DT2V_MEDIA=ON"});
}

}  // namespace

struct PngEncoder::Parts {};
PngEncoder::PngEncoder(int64_t /*width*/, int64_t /*height*/, std::string doing) {
  refuse(ErrorCode::kOutput, doing);
}
PngEncoder::~PngEncoder() = default;
std::string PngEncoder::encode(const uint8_t* /*rgb*/) { return ""; }

struct VideoReader::Parts {};
VideoReader::VideoReader(const std::filesystem::path& file) {
  refuse(ErrorCode::kInput, "reading " + file.string());
}
VideoReader::VideoReader(int /*descriptor*/, const std::string& name) {
  refuse(ErrorCode::kInput, "reading " + name);
}
VideoReader::~VideoReader() = default;
const VideoInfo& VideoReader::info() const { refuse(ErrorCode::kBug, "reading"); }
bool VideoReader::next() { return false; }
int64_t VideoReader::count_rest() { return 0; }
Frames VideoReader::frame(Chroma /*chroma*/) const { return {}; }

Frames read_video(const std::filesystem::path& file, int64_t /*most_frames*/,
                  const std::function<ImageSize(ImageSize)>& /*size_of*/) {
  refuse(ErrorCode::kInput, "reading " + file.string());
}

Frames read_image(const std::filesystem::path& file) {
  refuse(ErrorCode::kInput, "reading " + file.string());
}

ClipReader::ClipReader(const std::filesystem::path& clip) {
  refuse(ErrorCode::kInput, "reading " + clip.string());
}
std::optional<Frames> ClipReader::next() { return std::nullopt; }
bool ClipReader::skip() { return false; }

std::unique_ptr<ClipWriter> make_clip_writer(const std::filesystem::path& output,
                                             const ClipSettings& /*settings*/) {
  refuse(ErrorCode::kOutput, "writing " + output.string());
}

void expect_encoder(const std::filesystem::path& output, const ClipSettings& /*settings*/) {
  refuse(ErrorCode::kOutput, "writing " + output.string());
}

std::string libav_versions() { return ""; }

}  // namespace t2v
