#include "media/image_reader.h"

#include <array>
#include <string>
#include <string_view>

#include "core/file.h"
#include "media/decoded_image.h"
#include "media/images/exif.h"
#include "media/libav.h"

namespace t2v {
namespace {

constexpr int64_t kLargestFile = int64_t{1} << 30;

struct Format {
  AVCodecID codec;
  std::string_view begins;
};
/// Not TIFF, some of which libav decodes in wrong colours.
constexpr std::array<Format, 4> kFormats{{{AV_CODEC_ID_PNG, "\x89PNG\r\n\x1A\n"},
                                          {AV_CODEC_ID_MJPEG, "\xFF\xD8\xFF"},
                                          {AV_CODEC_ID_WEBP, "RIFF"},
                                          {AV_CODEC_ID_BMP, "BM"}}};

AVCodecID codec_of(const std::string& bytes, const std::string& doing) {
  for (const Format& format : kFormats) {
    if (bytes.starts_with(format.begins)) return format.codec;
  }
  throw Error(ErrorCode::kInput,
              {.doing = doing,
               .got = bytes.empty() ? "an empty file" : "something that is no image t2v knows",
               .expected = "a PNG, JPEG, WebP or BMP file"});
}

/// Decodes the one picture of a file in memory.
FramePtr decode(std::string bytes, const std::string& doing) {
  const auto check = [&doing](int result) {
    if (result == AVERROR_INVALIDDATA || result == AVERROR_EOF)
      throw Error(ErrorCode::kInput, {.doing = doing,
                                      .got = "a damaged picture or a part of one",
                                      .expected = "a whole one",
                                      .advice = "-v shows more"});
    if (result < 0) throw libav_error(ErrorCode::kInput, doing, result);
  };
  const AVCodec* decoder = avcodec_find_decoder(codec_of(bytes, doing));
  if (decoder == nullptr) check(AVERROR_DECODER_NOT_FOUND);
  const CodecPtr codec(allocated(avcodec_alloc_context3(decoder)));
  codec->max_pixels = kMostPixels;
  codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  codec->idct_algo = FF_IDCT_INT;  // of libav's the nearest to libjpeg's
  codec->thread_count = 1;
  check(avcodec_open2(codec.get(), decoder, nullptr));

  const PacketPtr packet(allocated(av_packet_alloc()));
  const size_t size = bytes.size();
  bytes.resize(size + AV_INPUT_BUFFER_PADDING_SIZE);
  packet->data = reinterpret_cast<uint8_t*>(bytes.data());
  packet->size = static_cast<int>(size);
  check(avcodec_send_packet(codec.get(), packet.get()));
  check(avcodec_send_packet(codec.get(), nullptr));
  FramePtr frame(allocated(av_frame_alloc()));
  check(avcodec_receive_frame(codec.get(), frame.get()));
  if (frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0)
    check(AVERROR_INVALIDDATA);
  return frame;
}

}  // namespace

Frames read_image(const std::filesystem::path& file) {
  redirect_libav_log();
  const std::string doing = "reading " + file.string();
  const std::string bytes = read_file(file, kLargestFile);
  const FramePtr frame = decode(bytes, doing);
  return stand_upright(to_image(*frame, doing), exif_orientation(bytes));
}

}  // namespace t2v
