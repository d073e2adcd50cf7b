#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "core/descriptor.h"
#include "core/log.h"
#include "core/staged_file.h"
#include "media/format_writers.h"
#include "media/libav.h"
#include "media/video_encoder.h"
#include "media/video_reader.h"
#include "t2v/run.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

struct MuxerDeleter {
  void operator()(AVFormatContext* muxer) const { avformat_free_context(muxer); }
};

uint32_t checksum(uint32_t before, const Frames& frames) {
  if (frames.rgb.empty()) return before;  // av_crc reads past a null pointer
  return av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), before, frames.rgb.data(), frames.rgb.size());
}

/// Opens what is there to take a stream. A FIFO is opened when it has a reader, and until then again and
/// again: a plain open() would wait through the signal that asks to stop.
int open_stream(const fs::path& output, const std::atomic<bool>* stop) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 50'000'000};
  for (;;) {
    const int descriptor = ::open(output.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor >= 0) {
      ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
      return descriptor;
    }
    const int error = errno;
    const bool waits = error == ENXIO && fs::is_fifo(output);
    errno = error;
    if (!waits) return descriptor;
    if (stop != nullptr && *stop) throw Stopped{};
    ::nanosleep(&kPause, nullptr);
  }
}

/// The descriptor that a clip is written to: a staged file, or what is already there to take a stream.
class Target {
 public:
  Target(const fs::path& output, const std::atomic<bool>* stop) : output_(output) {
    if (!is_stream(output)) {
      staged_.emplace(output);
      return;
    }
    stream_ =
        Descriptor(output == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : open_stream(output, stop));
    if (stream_.value() < 0) throw output_error(output, errno);
  }

  int descriptor() const { return staged_ ? staged_->descriptor() : stream_.value(); }
  StagedFile* staged() { return staged_ ? &*staged_ : nullptr; }

  void close_stream() {
    if (!stream_.close()) throw output_error(output_, errno);
  }

 private:
  fs::path output_;
  std::optional<StagedFile> staged_;
  Descriptor stream_;
};

class VideoFileWriter final : public ClipWriter {
 public:
  VideoFileWriter(const fs::path& output, const ClipSettings& settings, Container container,
                  const ChosenEncoding& encoding, VideoEncoder::Convert convert);

  void write(const Frames& frames) override {
    if (encoding_.lossless) checksum_ = checksum(checksum_, frames);
    const size_t frame_size = static_cast<size_t>(3 * settings_.height * settings_.width);
    for (int64_t i = 0; i < frames.count; ++i) {
      encoder_->encode(frames.rgb.data() + static_cast<size_t>(i) * frame_size,
                       [this](AVPacket& packet) { write_packet(packet); });
    }
  }

  void publish() override {
    encoder_->finish([this](AVPacket& packet) { write_packet(packet); });
    check(av_write_trailer(muxer_.get()));
    if (container_ == Container::kGif && !settings_.comment.empty()) append_gif_comment();
    avio_flush(io_.context());
    check_written();
    if (StagedFile* staged = target_.staged(); staged != nullptr) {
      staged->sync();
      read_back();
      staged->publish(settings_.overwrite);
    } else {
      target_.close_stream();
    }
  }

 private:
  void open_muxer() {
    AVFormatContext* muxer = nullptr;
    check(avformat_alloc_output_context2(&muxer, nullptr, format_of(container_).muxer, output_.c_str()));
    muxer_.reset(muxer);
    muxer->pb = io_.context();
    muxer->flags |= AVFMT_FLAG_BITEXACT;  // no random numbers, so that the same frames give the same bytes
    // +faststart reads what was written once more.
    muxer->opaque = this;
    muxer->io_open = &VideoFileWriter::open_again;
    muxer->io_close2 = &VideoFileWriter::close_again;
  }

  void write_header() {
    stream_ = allocated(avformat_new_stream(muxer_.get(), nullptr));
    stream_->time_base = encoder_->codec().time_base;
    stream_->avg_frame_rate = encoder_->codec().framerate;
    stream_->r_frame_rate = encoder_->codec().framerate;
    check(avcodec_parameters_from_context(stream_->codecpar, &encoder_->codec()));
    if (!settings_.comment.empty()) {
      check(av_dict_set(&muxer_->metadata, "comment", settings_.comment.c_str(), 0));
    }
    AVDictionary* options = nullptr;
    if (const std::string movflags = format_of(container_).movflags; !movflags.empty())
      check(av_dict_set(&options, "movflags", movflags.c_str(), 0));
    if (container_ == Container::kGif) {
      const int64_t last = hundredths(settings_.frame_count) - hundredths(settings_.frame_count - 1);
      check(av_dict_set_int(&options, "final_delay", last, 0));
    }
    const int result = avformat_write_header(muxer_.get(), &options);
    av_dict_free(&options);
    check(result);
    check_written();
  }

  void write_packet(AVPacket& packet) {
    av_packet_rescale_ts(&packet, encoder_->codec().time_base, stream_->time_base);
    packet.stream_index = stream_->index;
    check(av_interleaved_write_frame(muxer_.get(), &packet));
    check_written();
  }

  /// libav reads a GIF's comment and writes none: an extension of blocks of at most 255 bytes, before the
  /// byte that ends the file.
  void append_gif_comment() {
    constexpr int kExtension = 0x21, kComment = 0xFE, kTrailer = 0x3B;
    constexpr size_t kLongestBlock = 255;
    AVIOContext* io = io_.context();
    avio_flush(io);
    check(static_cast<int>(std::min<int64_t>(avio_seek(io, -1, SEEK_CUR), 0)));
    avio_w8(io, kExtension);
    avio_w8(io, kComment);
    for (std::string_view rest = settings_.comment; !rest.empty();) {
      const std::string_view block = rest.substr(0, kLongestBlock);
      avio_w8(io, static_cast<int>(block.size()));
      avio_write(io, reinterpret_cast<const uint8_t*>(block.data()), static_cast<int>(block.size()));
      rest.remove_prefix(block.size());
    }
    avio_w8(io, 0);
    avio_w8(io, kTrailer);
  }

  int64_t hundredths(int64_t frames) const {
    return std::llround(100 * static_cast<double>(frames) / av_q2d(encoder_->codec().framerate));
  }

  bool rate_is_kept(const VideoInfo& info) const {
    // Each picture of a GIF is shown for a whole number of hundredths of a second, on average the right one.
    if (container_ == Container::kGif)
      return std::llround(100 * info.duration) == hundredths(settings_.frame_count);
    return std::abs(info.fps / av_q2d(encoder_->codec().framerate) - 1) < 1e-5;
  }

  void check(int result) {
    if (result >= 0) return;
    if (io_.error() != 0) throw output_error(output_, io_.error());
    throw libav_error(ErrorCode::kOutput, doing_, result);
  }

  // libav's buffered writes return nothing; what went wrong in one is kept in the context.
  void check_written() { check(io_.context()->error); }

  void read_back() const {
    const auto compare = [this](const std::string& what, const std::string& got,
                                const std::string& expected) {
      if (got == expected) return;
      throw Error(ErrorCode::kOutput, {.doing = doing_ + ": reading it back: " + what,
                                       .got = got,
                                       .expected = expected,
                                       .advice = "nothing was published"});
    };
    try {
      VideoReader reader(target_.descriptor(), output_.string());
      const VideoInfo& info = reader.info();
      compare("codec", info.codec, avcodec_get_name(encoder_->codec().codec_id));
      compare("width", std::to_string(info.width), std::to_string(settings_.width));
      compare("height", std::to_string(info.height), std::to_string(settings_.height));
      if (info.comment != settings_.comment) compare("comment", "other settings", "those of this clip");
      if (!rate_is_kept(info)) compare("fps", std::to_string(info.fps), std::to_string(settings_.fps));
      int64_t count = 0;
      uint32_t read = 0;
      for (; reader.next(); ++count) {
        if (encoding_.lossless) read = checksum(read, reader.frame());
      }
      compare("frames", std::to_string(count), std::to_string(settings_.frame_count));
      compare("checksum of the pixels", std::to_string(read), std::to_string(checksum_));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kOutput) throw;
      throw Error(ErrorCode::kOutput, {.doing = doing_ + ": reading it back: " + error.what()});
    }
  }

  static int open_again(AVFormatContext* muxer, AVIOContext** context, const char* /*url*/, int flags,
                        AVDictionary** /*options*/) {
    if (flags != AVIO_FLAG_READ) return AVERROR(EINVAL);
    try {
      const auto& writer = *static_cast<VideoFileWriter*>(muxer->opaque);
      *context = (new DescriptorIo(writer.target_.descriptor(), DescriptorIo::Mode::kRead))->context();
      return 0;
    } catch (const std::bad_alloc&) {
      return AVERROR(ENOMEM);
    }
  }

  static int close_again(AVFormatContext* /*muxer*/, AVIOContext* context) {
    delete static_cast<DescriptorIo*>(context->opaque);
    return 0;
  }

  fs::path output_;
  ClipSettings settings_;
  Container container_;
  ChosenEncoding encoding_;
  std::string doing_;
  Target target_;
  DescriptorIo io_;
  std::unique_ptr<AVFormatContext, MuxerDeleter> muxer_;
  std::optional<VideoEncoder> encoder_;
  AVStream* stream_ = nullptr;  // owned by muxer_
  uint32_t checksum_ = 0;       // of all pixels, when lossless: FFV1's decoder hides a damaged frame
};

VideoFileWriter::VideoFileWriter(const fs::path& output, const ClipSettings& settings, Container container,
                                 const ChosenEncoding& encoding, VideoEncoder::Convert convert)
    : output_(output),
      settings_(settings),
      container_(container),
      encoding_(encoding),
      doing_("writing " + output.string()),
      target_(output, settings.stop),
      io_(target_.descriptor(),
          target_.staged() != nullptr ? DescriptorIo::Mode::kWrite : DescriptorIo::Mode::kStream) {
  open_muxer();
  encoder_.emplace(settings, encoding, doing_, (muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0,
                   std::move(convert));
  log_verbose(doing_ + " with " + encoder_->codec().codec->name + " as " + encoding.pix_fmt +
              (encoding.crf ? ", crf " + std::to_string(*encoding.crf) : ""));
  write_header();
}

}  // namespace

std::unique_ptr<ClipWriter> make_video_file_writer(const fs::path& output, const ClipSettings& settings,
                                                   Container container, const ChosenEncoding& encoding,
                                                   VideoEncoder::Convert convert) {
  return std::make_unique<VideoFileWriter>(output, settings, container, encoding, std::move(convert));
}

}  // namespace t2v
