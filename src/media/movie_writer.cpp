#include <cerrno>
#include <cmath>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "core/staged_file.h"
#include "media/libav.h"
#include "media/video_encoder.h"
#include "media/video_reader.h"
#include "media/writers.h"

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

/// The descriptor that a clip is written to: a staged file, or what is already there to take a stream.
class Target {
 public:
  explicit Target(const fs::path& output) : output_(output) {
    if (!is_stream(output)) {
      staged_.emplace(output);
      return;
    }
    stream_ = output == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                            : ::open(output.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (stream_ < 0) throw output_error(output, errno);
  }
  ~Target() {
    if (stream_ >= 0) ::close(stream_);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  int descriptor() const { return staged_ ? staged_->descriptor() : stream_; }
  StagedFile* staged() { return staged_ ? &*staged_ : nullptr; }

  void close_stream() {
    const int closing = std::exchange(stream_, -1);
    if (::close(closing) != 0) throw output_error(output_, errno);
  }

 private:
  fs::path output_;
  std::optional<StagedFile> staged_;
  int stream_ = -1;
};

class MovieWriter final : public VideoWriter {
 public:
  MovieWriter(const fs::path& output, const VideoSettings& settings, Container container);

  void write(const Frames& frames) override;
  void publish() override;

 private:
  void open_muxer(Container container);
  void write_header(Container container);
  void write_packet(AVPacket& packet);
  bool lossless() const { return settings_.quality == "lossless"; }
  void check(int result);
  void check_written();
  void read_back() const;
  static int open_again(AVFormatContext* muxer, AVIOContext** context, const char* url, int flags,
                        AVDictionary** options);
  static int close_again(AVFormatContext* muxer, AVIOContext* context);

  fs::path output_;
  VideoSettings settings_;
  std::string doing_;
  Target target_;
  DescriptorIo io_;
  std::unique_ptr<AVFormatContext, MuxerDeleter> muxer_;
  std::optional<VideoEncoder> encoder_;
  AVStream* stream_ = nullptr;  // owned by muxer_
  uint32_t checksum_ = 0;       // of all pixels, when lossless: FFV1's decoder hides a damaged frame
};

MovieWriter::MovieWriter(const fs::path& output, const VideoSettings& settings, Container container)
    : output_(output),
      settings_(settings),
      doing_("writing " + output.string()),
      target_(output),
      io_(target_.descriptor(),
          target_.staged() != nullptr ? DescriptorIo::Mode::kWrite : DescriptorIo::Mode::kStream) {
  open_muxer(container);
  encoder_.emplace(settings, doing_, (muxer_->oformat->flags & AVFMT_GLOBALHEADER) != 0);
  write_header(container);
}

void MovieWriter::open_muxer(Container container) {
  AVFormatContext* muxer = nullptr;
  check(avformat_alloc_output_context2(&muxer, nullptr, container == Container::kMp4 ? "mp4" : "matroska",
                                       output_.c_str()));
  muxer_.reset(muxer);
  muxer->pb = io_.context();
  muxer->flags |= AVFMT_FLAG_BITEXACT;  // no random numbers, so that the same frames give the same bytes
  // +faststart reads what was written once more.
  muxer->opaque = this;
  muxer->io_open = &MovieWriter::open_again;
  muxer->io_close2 = &MovieWriter::close_again;
}

void MovieWriter::write_header(Container container) {
  stream_ = allocated(avformat_new_stream(muxer_.get(), nullptr));
  stream_->time_base = encoder_->codec().time_base;
  stream_->avg_frame_rate = encoder_->codec().framerate;
  stream_->r_frame_rate = encoder_->codec().framerate;
  check(avcodec_parameters_from_context(stream_->codecpar, &encoder_->codec()));
  if (!settings_.comment.empty()) {
    check(av_dict_set(&muxer_->metadata, "comment", settings_.comment.c_str(), 0));
  }
  AVDictionary* options = nullptr;
  if (container == Container::kMp4) check(av_dict_set(&options, "movflags", "+faststart", 0));
  const int result = avformat_write_header(muxer_.get(), &options);
  av_dict_free(&options);
  check(result);
  check_written();
}

void MovieWriter::write(const Frames& frames) {
  if (lossless()) checksum_ = checksum(checksum_, frames);
  const size_t frame_size = static_cast<size_t>(3 * settings_.height * settings_.width);
  for (int64_t i = 0; i < frames.count; ++i) {
    encoder_->encode(frames.rgb.data() + static_cast<size_t>(i) * frame_size,
                     [this](AVPacket& packet) { write_packet(packet); });
  }
}

void MovieWriter::write_packet(AVPacket& packet) {
  av_packet_rescale_ts(&packet, encoder_->codec().time_base, stream_->time_base);
  packet.stream_index = stream_->index;
  check(av_interleaved_write_frame(muxer_.get(), &packet));
  check_written();
}

void MovieWriter::publish() {
  encoder_->finish([this](AVPacket& packet) { write_packet(packet); });
  check(av_write_trailer(muxer_.get()));
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

void MovieWriter::check(int result) {
  if (result >= 0) return;
  if (io_.error() != 0) throw output_error(output_, io_.error());
  throw libav_error(ErrorCode::kOutput, doing_, result);
}

// libav's buffered writes return nothing; what went wrong in one is kept in the context.
void MovieWriter::check_written() { check(io_.context()->error); }

void MovieWriter::read_back() const {
  const auto compare = [this](const std::string& what, const std::string& got, const std::string& expected) {
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
    const double fps = av_q2d(encoder_->codec().framerate);
    if (!(std::abs(info.fps / fps - 1) < 1e-5)) compare("fps", std::to_string(info.fps), std::to_string(fps));
    int64_t count = 0;
    uint32_t read = 0;
    for (; reader.next(); ++count) {
      if (lossless()) read = checksum(read, reader.frame());
    }
    compare("frames", std::to_string(count), std::to_string(settings_.frame_count));
    compare("checksum of the pixels", std::to_string(read), std::to_string(checksum_));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kOutput) throw;
    throw Error(ErrorCode::kOutput, {.doing = doing_ + ": reading it back: " + error.what()});
  }
}

int MovieWriter::open_again(AVFormatContext* muxer, AVIOContext** context, const char* /*url*/, int flags,
                            AVDictionary** /*options*/) {
  if (flags != AVIO_FLAG_READ) return AVERROR(EINVAL);
  try {
    const auto& writer = *static_cast<MovieWriter*>(muxer->opaque);
    *context = (new DescriptorIo(writer.target_.descriptor(), DescriptorIo::Mode::kRead))->context();
    return 0;
  } catch (const std::bad_alloc&) {
    return AVERROR(ENOMEM);
  }
}

int MovieWriter::close_again(AVFormatContext* /*muxer*/, AVIOContext* context) {
  delete static_cast<DescriptorIo*>(context->opaque);
  return 0;
}

}  // namespace

std::unique_ptr<VideoWriter> make_movie_writer(const fs::path& output, const VideoSettings& settings,
                                               Container container) {
  return std::make_unique<MovieWriter>(output, settings, container);
}

}  // namespace t2v
