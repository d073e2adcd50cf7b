#include "media/video_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include "core/descriptor.h"
#include "core/text.h"
#include "media/images/exif.h"
#include "media/libav.h"

namespace t2v {
namespace {

/// Containers, as libav calls them: what they hold is in the file itself. Playlists, lists of files and the
/// like would make libav open whatever they name.
constexpr const char* kContainers =
    "mov,matroska,avi,gif,apng,png_pipe,flv,mpeg,mpegts,ogg,asf,nut,ivf,yuv4mpegpipe";

struct InputDeleter {
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
};

/// What the decoder says of a picture's colours; where it says nothing, what ffmpeg assumes.
YuvColors colors_of(const AVFrame& picture) {
  const bool full_range = picture.color_range == AVCOL_RANGE_JPEG;
  const bool centered =
      picture.chroma_location == AVCHROMA_LOC_CENTER || picture.chroma_location == AVCHROMA_LOC_TOP;
  // swscale knows matrices by the numbers of AVColorSpace.
  const int matrix = picture.colorspace == AVCOL_SPC_UNSPECIFIED ? SWS_CS_ITU601 : picture.colorspace;
  return {.matrix = matrix, .full_range = full_range, .centered_chroma = centered};
}

/// The matrix that a camera leaves in the file instead of turning its frames; null: none.
const int32_t* display_matrix(const AVStream& stream) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVPacketSideData* data = av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data == nullptr ? nullptr : reinterpret_cast<const int32_t*>(data->data);
#else
  return reinterpret_cast<const int32_t*>(
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
#endif
}

/// How to turn frames of this stream upright, as EXIF counts it; nothing for what is no quarter turn.
std::optional<int> orientation_of(const AVStream& stream) {
  const int32_t* matrix = display_matrix(stream);
  if (matrix == nullptr) return 1;
  // Stored right is shown towards (a, b), stored down towards (c, d).
  const int32_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (b == 0 && c == 0 && a != 0 && d != 0) return a > 0 ? (d > 0 ? 1 : 4) : (d > 0 ? 2 : 3);
  if (a == 0 && d == 0 && b != 0 && c != 0) return b > 0 ? (c > 0 ? 5 : 6) : (c > 0 ? 8 : 7);
  return std::nullopt;
}

std::string word(const char* name) { return name == nullptr ? "unknown" : name; }

Descriptor open_file(const std::filesystem::path& file) {
  Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (opened.value() < 0)
    throw Error(ErrorCode::kInput, {.doing = "reading " + file.string(), .got = file_trouble(errno)});
  return opened;
}

}  // namespace

struct VideoReader::Parts {
  Parts(int descriptor, const std::string& name)
      : doing("reading " + name), io(descriptor, DescriptorIo::Mode::kRead) {
    redirect_libav_log();
    open_container();
    open_codec();
    describe();
  }

  Parts(Descriptor opened, const std::string& name) : Parts(opened.value(), name) { own = std::move(opened); }

  void check(int result) const {
    if (result < 0) throw libav_error(ErrorCode::kInput, doing, result);
  }
  void open_container();
  void open_codec();
  void describe();
  bool receive();

  std::string doing;
  Descriptor own;  ///< of a file that the reader opened; closed last
  DescriptorIo io;
  std::unique_ptr<AVFormatContext, InputDeleter> container;
  AVStream* stream = nullptr;
  CodecPtr codec;
  PacketPtr packet{allocated(av_packet_alloc())};
  FramePtr frame{allocated(av_frame_alloc())};
  bool drained = false;
  int orientation = 1;
  VideoInfo info;
};

void VideoReader::Parts::open_container() {
  AVFormatContext* opened = allocated(avformat_alloc_context());
  opened->pb = io.context();
  opened->error_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  opened->format_whitelist = allocated(av_strdup(kContainers));
  const int result = avformat_open_input(&opened, nullptr, nullptr, nullptr);  // frees it when it fails
  if (result == AVERROR(EINVAL)) {
    throw Error(ErrorCode::kInput, {.doing = doing,
                                    .got = "a file that is no container of a clip",
                                    .expected = "MP4, Matroska, WebM, AVI, GIF or MPEG"});
  }
  check(result);
  container.reset(opened);
  check(avformat_find_stream_info(opened, nullptr));
}

void VideoReader::Parts::open_codec() {
  const AVCodec* decoder = nullptr;
  const int index = av_find_best_stream(container.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  check(index);
  stream = container->streams[index];
  codec.reset(allocated(avcodec_alloc_context3(decoder)));
  check(avcodec_parameters_to_context(codec.get(), stream->codecpar));
  codec->max_pixels = kMostPixels;
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  check(avcodec_open2(codec.get(), decoder, nullptr));
}

void VideoReader::Parts::describe() {
  const AVCodecParameters& parameters = *stream->codecpar;
  const std::optional<int> turned = orientation_of(*stream);
  if (!turned)
    throw Error(
        ErrorCode::kInput,
        {.doing = doing, .got = "frames that are to be shown at an angle", .expected = "quarter turns"});
  orientation = *turned;
  const AVDictionaryEntry* comment = av_dict_get(container->metadata, "comment", nullptr, 0);
  // Matroska does not record a rate of one frame a millisecond; libav then only estimates it.
  const AVRational rate = stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
  info = {.codec = avcodec_get_name(parameters.codec_id),
          .pixel_format = word(av_get_pix_fmt_name(codec->pix_fmt)),
          .color_range = word(av_color_range_name(parameters.color_range)),
          .color_space = word(av_color_space_name(parameters.color_space)),
          .color_primaries = word(av_color_primaries_name(parameters.color_primaries)),
          .color_trc = word(av_color_transfer_name(parameters.color_trc)),
          .chroma_location = word(av_chroma_location_name(parameters.chroma_location)),
          .width = parameters.width,
          .height = parameters.height,
          .fps = av_q2d(rate),
          .duration = static_cast<double>(std::max<int64_t>(container->duration, 0)) / AV_TIME_BASE,
          .comment = comment == nullptr ? "" : comment->value};
}

bool VideoReader::Parts::receive() {
  const int result = avcodec_receive_frame(codec.get(), frame.get());
  if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return false;
  check(result);
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0)
    check(AVERROR_INVALIDDATA);
  return true;
}

VideoReader::VideoReader(const std::filesystem::path& file)
    : parts_(std::make_unique<Parts>(open_file(file), file.string())) {}

VideoReader::VideoReader(int descriptor, const std::string& name)
    : parts_(std::make_unique<Parts>(descriptor, name)) {}

VideoReader::~VideoReader() = default;

const VideoInfo& VideoReader::info() const { return parts_->info; }

bool VideoReader::next() {
  Parts& parts = *parts_;
  while (!parts.receive()) {
    if (parts.drained) return false;
    const int result = av_read_frame(parts.container.get(), parts.packet.get());
    parts.drained = result == AVERROR_EOF;
    if (!parts.drained) parts.check(result);
    if (parts.drained || parts.packet->stream_index == parts.stream->index) {
      parts.check(avcodec_send_packet(parts.codec.get(), parts.drained ? nullptr : parts.packet.get()));
    }
    av_packet_unref(parts.packet.get());
  }
  return true;
}

int64_t VideoReader::count_rest() {
  Parts& parts = *parts_;
  int64_t count = 0;
  for (;; av_packet_unref(parts.packet.get())) {
    const int result = av_read_frame(parts.container.get(), parts.packet.get());
    if (result == AVERROR_EOF) return count;
    parts.check(result);
    if ((parts.packet->flags & AV_PKT_FLAG_CORRUPT) != 0) parts.check(AVERROR_INVALIDDATA);
    count += parts.packet->stream_index == parts.stream->index ? 1 : 0;
  }
}

Frames VideoReader::frame(Chroma chroma) const {
  YuvColors colors = colors_of(*parts_->frame);
  colors.precise = chroma == Chroma::kInterpolated;
  return stand_upright(to_rgb(*parts_->frame, colors, parts_->doing), parts_->orientation);
}

Frames read_video(const std::filesystem::path& file, int64_t most_frames,
                  const std::function<ImageSize(ImageSize)>& size_of) {
  VideoReader reader(file);
  Frames clip;
  while (clip.count < most_frames && reader.next()) {
    Frames frame = reader.frame(VideoReader::Chroma::kRepeated);
    const ImageSize size =
        clip.count == 0 ? size_of({frame.height, frame.width}) : ImageSize{clip.height, clip.width};
    frame = resize(frame, size.height, size.width, ResizeFilter::kLanczos);
    clip.height = size.height;
    clip.width = size.width;
    clip.rgb.insert(clip.rgb.end(), frame.rgb.begin(), frame.rgb.end());
    ++clip.count;
  }
  if (clip.count == 0)
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + file.string(), .got = "no frame", .expected = "a video"});
  return clip;
}

}  // namespace t2v
